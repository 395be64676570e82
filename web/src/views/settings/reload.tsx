import { ask } from '../../api/request.ts'
import type { SettingsChanges } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { toast } from '../../parts/toasts.tsx'

const readChanges = (signal: AbortSignal) => ask<SettingsChanges>('GET', '/api/settings/changes', { signal })

interface ReloadProps {
  readonly onClose: () => void
  readonly onDone: () => void
}

export function Reload({ onClose, onDone }: ReloadProps) {
  const { value, error: unusable } = useLoaded(readChanges)
  const { busy, error, act } = useAction(onDone)
  const reload = () =>
    act(async () => {
      const { changes, restart_required: restart } = await ask<SettingsChanges>('POST', '/api/reload')
      const later = restart.length > 0 ? `; restart the gateway for ${restart.join(', ')}` : ''
      toast(
        changes.length === 0 ? `No setting has changed${later}` : `The gateway uses the new settings${later}`,
      )
    })
  const isNothing = value !== undefined && value.changes.length + value.restart_required.length === 0
  return (
    <Dialog title="Reload the settings" onClose={onClose}>
      {value === undefined && unusable === undefined && <p role="status">Reading gateway.yaml …</p>}
      {unusable !== undefined && <Problem error={unusable} />}
      {isNothing && <p>The gateway already uses the settings in gateway.yaml.</p>}
      {value !== undefined && <Changes changes={value} />}
      {error !== undefined && <Problem error={error} />}
      <div class="line">
        <button type="button" class="button" onClick={onClose}>
          {isNothing || unusable !== undefined ? 'Close' : 'Cancel'}
        </button>
        {value !== undefined && value.changes.length > 0 && (
          <button type="button" class="button is-primary" disabled={busy} onClick={reload}>
            <Icon name="check" />
            Reload the settings
          </button>
        )}
      </div>
    </Dialog>
  )
}

const MARKS = [
  ['added', 'plus', 'added'],
  ['removed', 'minus', 'removed'],
  ['changed', 'diff', 'changed'],
] as const

function Changes({ changes: { changes, restart_required: restart } }: { readonly changes: SettingsChanges }) {
  return (
    <>
      {changes.length > 0 && (
        <section aria-label="After the reload">
          <h3>After the reload</h3>
          <p class="soft small">Running sessions keep the settings with which they started.</p>
          <ul class="settings-changes">
            {changes.flatMap((change) =>
              MARKS.flatMap(([kind, icon, word]) =>
                change[kind].map((name) => (
                  <li key={`${change.setting} ${kind} ${name}`}>
                    <Icon name={icon} small />
                    <span class="soft">{word}</span>{' '}
                    <Name>{name === change.setting ? name : `${change.setting}: ${name}`}</Name>
                  </li>
                )),
              ),
            )}
          </ul>
        </section>
      )}
      {restart.length > 0 && (
        <section aria-label="After a restart">
          <h3>After a restart</h3>
          <ul class="settings-changes">
            {restart.map((name) => (
              <li key={name}>
                <Icon name="wait" small />
                <Name>{name}</Name>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
