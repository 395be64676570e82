import { person } from '../../api/person.ts'
import { ask, Refused } from '../../api/request.ts'
import type { SettingsChanges } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { toast } from '../../parts/toasts.tsx'
import { ChangedEntries, Waiting } from './changes.tsx'

const readChanges = (signal: AbortSignal) => ask<SettingsChanges>('GET', '/api/settings/changes', { signal })

interface ReloadProps {
  readonly onClose: () => void
  readonly onDone: () => void
}

export function Reload({ onClose, onDone }: ReloadProps) {
  const { value, error: unusable, reload: lookAgain } = useLoaded(readChanges)
  const { busy, error, act } = useAction(onDone)
  const reload = (version: string, dialog: Element | null) =>
    act(async () => {
      const path = `/api/reload?version=${encodeURIComponent(version)}`
      const answer = await ask<SettingsChanges>('POST', path).catch((refused: unknown) => {
        if (refused instanceof Refused && refused.code === 'settings-changed') {
          lookAgain()
          dialog?.scrollTo(0, 0)
        }
        throw refused
      })
      const restart = answer.restart_required
      const later = restart.length > 0 ? `; restart the gateway for ${restart.join(', ')}` : ''
      toast(
        answer.changes.length === 0
          ? `No setting has changed${later}`
          : `The gateway uses the new settings${later}`,
      )
    })
  const isNothing = value !== undefined && value.changes.length + value.restart_required.length === 0
  return (
    <Dialog title="Reload the settings" isWide onClose={onClose}>
      {value === undefined && unusable === undefined && <p role="status">Reading gateway.yaml …</p>}
      {unusable !== undefined && <Problem error={unusable} />}
      {isNothing && <p>The gateway already uses the settings in gateway.yaml.</p>}
      {value !== undefined && unusable === undefined && <Changes changes={value} />}
      <div class="reload-foot">
        {error !== undefined && <Problem error={error} />}
        <div class="line">
          <button type="button" class="button push" onClick={onClose}>
            {isNothing || unusable !== undefined ? 'Close' : 'Cancel'}
          </button>
          {value !== undefined && unusable === undefined && value.changes.length > 0 && (
            <button
              type="button"
              class="button is-primary"
              disabled={busy}
              onClick={(event) => reload(value.version, event.currentTarget.closest('dialog'))}
            >
              <Icon name="check" />
              Reload the settings
            </button>
          )}
        </div>
      </div>
    </Dialog>
  )
}

function Changes({ changes }: { readonly changes: SettingsChanges }) {
  const { entries, waiting, values_left_out: leftOut, restart_required: restart } = changes
  const isAccess = ({ effect }: (typeof entries)[number]) => effect !== 'other'
  const opening = entries.filter(({ effect }) => effect === 'opens' || effect === 'both')
  return (
    <>
      {entries.length > 0 && (
        <p class="soft small">Running sessions keep the settings with which they started.</p>
      )}
      {opening.length > 0 && (
        <div class="note is-bad">
          <Icon name="alert" />
          <div class="said">
            <strong>
              {opening.length === 1
                ? '1 change lets somebody do more than today.'
                : `${opening.length} changes let somebody do more than today.`}
            </strong>{' '}
            <Name>{firstNames(opening.map(({ name }) => name))}</Name>
          </div>
        </div>
      )}
      {losesAdmin(entries) && (
        <div class="note is-wait">
          <Icon name="alert" />
          <div class="said">
            You are no admin any more after this reload, so you cannot take it back here.
          </div>
        </div>
      )}
      <ChangedEntries title="Who may do what" entries={entries.filter(isAccess)} />
      <ChangedEntries title="Other settings" entries={entries.filter((entry) => !isAccess(entry))} />
      {leftOut > 0 && (
        <p class="soft small">{leftOut.toLocaleString()} further values have changed and are not shown.</p>
      )}
      {entries.length > 0 && <Waiting waiting={waiting} />}
      {restart.length > 0 && (
        <section class="reload-part" aria-label="After a restart">
          <h3>Only after a restart</h3>
          <ul>
            {restart.map((name) => (
              <li key={name}>
                <Name>{name}</Name>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

/** Tests whether the signed-in admin has lost the group of the admins. */
function losesAdmin(entries: SettingsChanges['entries']): boolean {
  const isAdmin = (groups: string | null) => groups?.split(', ').includes('admin') === true
  return entries.some(
    ({ setting, name, change, values }) =>
      setting === 'users' &&
      name === person.peek()?.name &&
      (change === 'removed' ||
        values.some((value) => value.name === 'groups' && isAdmin(value.before) && !isAdmin(value.after))),
  )
}

const NAMED = 5

function firstNames(names: readonly string[]): string {
  const more = names.length - NAMED
  return `${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
