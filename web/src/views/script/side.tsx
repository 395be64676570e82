import { useCallback, useState } from 'preact/hooks'
import { readSession, readSessions } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import { asRefused } from '../../api/request.ts'
import type { ListedSession } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { forgetScript, type SavedScript } from './kept.ts'
import { Tables } from './tables.tsx'

interface SideProps {
  readonly connection: string
  readonly saved: readonly SavedScript[]
  readonly onSaved: () => void
  /** Puts the text into the editor. */
  readonly onOpen: (text: string) => void
  /** Whether the tables of the database can be read. */
  readonly hasTables: boolean
  readonly onInsert: (name: string) => void
}

/** Tables of the database, and recent and saved scripts of the connection. */
export function Side({ connection, saved, onSaved, onOpen, hasTables, onInsert }: SideProps) {
  const here = saved.filter((one) => one.connection === connection)
  return (
    <aside class="card desk-side column" aria-label="Beside the script">
      {hasTables && <Tables connection={connection} onInsert={onInsert} />}
      <details class="desk-group" open>
        <summary>
          <Icon name="chevron" small />
          Recent here
        </summary>
        <Recent connection={connection} onOpen={onOpen} key={connection} />
      </details>
      <details class="desk-group" open>
        <summary>
          <Icon name="chevron" small />
          Saved in this browser
        </summary>
        {here.length === 0 ? (
          <p class="desk-none">“Save” keeps a script here until you sign out.</p>
        ) : (
          <ul class="rows is-short">
            {here.map((one) => (
              <li key={one.name}>
                <div class="row-text">
                  <button type="button" class="whole" onClick={() => onOpen(one.text)}>
                    {visible(one.name)}
                  </button>
                  <span>
                    saved <Moment at={new Date(one.at).toISOString()} />
                  </span>
                </div>
                <button
                  type="button"
                  class="button is-quiet is-icon is-small above"
                  aria-label={`Remove ${visible(one.name)}`}
                  title="Remove"
                  onClick={() => {
                    forgetScript(one)
                    onSaved()
                  }}
                >
                  <Icon name="cross" small />
                </button>
              </li>
            ))}
          </ul>
        )}
      </details>
    </aside>
  )
}

const MOST_RECENT = 8

function Recent({ connection, onOpen }: Pick<SideProps, 'connection' | 'onOpen'>) {
  const load = useCallback(async (signal: AbortSignal) => recentOn(connection, signal), [connection])
  const { value, error, reload } = useLoaded(load, ['sessions'])
  const [opening, setOpening] = useState('')
  const open = async ({ id }: ListedSession) => {
    setOpening(id)
    try {
      onOpen((await readSession(id)).script.data)
    } catch (failure) {
      toast(`The script cannot be opened: ${asRefused(failure).message}`, { tone: 'bad', icon: 'alert' })
    } finally {
      setOpening('')
    }
  }
  if (error !== undefined) return <Problem error={error} onRetry={reload} />
  if (value?.length === 0) return <p class="desk-none">You have run no script on this connection yet.</p>
  return (
    <ul class="rows is-short">
      {value?.map((session) => (
        <li key={session.id}>
          <div class="row-text">
            <button type="button" class="whole" disabled={opening !== ''} onClick={() => void open(session)}>
              <code>{visible(session.script_line ?? 'empty script')}</code>
            </button>
            <span>
              <bdi>{visible(session.state.text)}</bdi>, <Moment at={session.start_date} />
            </span>
          </div>
        </li>
      ))}
    </ul>
  )
}

/** Reads the newest scripts of the signed-in person. The same script is listed once. */
async function recentOn(connection: string, signal: AbortSignal): Promise<readonly ListedSession[]> {
  if (connection === '') return []
  const like = (text: string) => text.replaceAll(/[\\%_]/g, '\\$&')
  const asked = new URLSearchParams({
    ...{ user: like(person.peek()?.name ?? ''), connection: like(connection) },
    ...{ kind: 'script', limit: '30', count: 'none' },
  })
  const { data } = await readSessions(asked.toString(), signal)
  const found = new Map<string, ListedSession>()
  for (const session of data) {
    // The gateway's own query for the tables.
    if (session.labels?.['purpose'] === 'schema') continue
    // "Explain" sends this word. It would take the places of the scripts that were run.
    if (session.script_line?.startsWith('EXPLAIN ') === true) continue
    const same = `${session.script_size ?? ''} ${session.script_line ?? ''}`
    if (!found.has(same)) found.set(same, session)
  }
  return [...found.values()].slice(0, MOST_RECENT)
}
