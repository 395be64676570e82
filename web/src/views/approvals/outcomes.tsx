import { useCallback } from 'preact/hooks'
import { readSessions } from '../../api/gateway.ts'
import type { ListedSession, Review, Session } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { literal } from '../sessions/filters.tsx'
import { isBad } from '../sessions/state.tsx'
import { outcomesText } from './outcomes-text.ts'

/** Number of sessions whose ends are shown. */
const MAX_SHOWN = 10
/** Sessions that are read. Those that never ran are left out. */
const READ = 20

interface OutcomesProps {
  readonly review: Review
  readonly session: Session
}

/** How the last runs of the runbook, and of the requester, have ended, as far as this person may see them. */
export function Outcomes({ review: { owner, runbook }, session }: OutcomesProps) {
  const file = runbook?.file
  const repository = session.labels?.['runbookRepository']
  const load = useCallback(
    async (signal: AbortSignal) => {
      const [ofRunbook, ofOwner] = await Promise.all([
        file === undefined ? [] : ended({ runbook: literal(file) }, signal),
        ended({ user: literal(owner) }, signal),
      ])
      return {
        ofRunbook: ofRunbook.filter(({ labels }) => labels?.['runbookRepository'] === repository),
        ofOwner,
      }
    },
    [file, owner, repository],
  )
  // Leaves the card out if the sessions cannot be read, because a decision works without it.
  const { value } = useLoaded(load)
  const commit = session.labels?.['runbookCommit']
  if (value === undefined || value.ofRunbook.length + value.ofOwner.length === 0) return null
  return (
    <section class="card" aria-labelledby="before">
      <div class="card-head">
        <h2 id="before">How it went before</h2>
        {commit !== undefined && (
          <span class="push soft small">
            commit <code>{commit.slice(0, 7)}</code>
          </span>
        )}
      </div>
      <div class="histories">
        {value.ofRunbook.length > 0 && <Line name="This runbook" sessions={value.ofRunbook} />}
        {value.ofOwner.length > 0 && (
          <Line
            name={
              <>
                Run by <Name>{owner}</Name>
              </>
            }
            sessions={value.ofOwner}
          />
        )}
      </div>
    </section>
  )
}

interface LineProps {
  readonly name: preact.ComponentChildren
  /** The newest one first. */
  readonly sessions: readonly ListedSession[]
}

function Line({ name, sessions }: LineProps) {
  return (
    <div class="history">
      <h3>{name}</h3>
      <ol class="outcomes">
        {sessions.toReversed().map((one) => (
          <Outcome key={one.id} session={one} />
        ))}
      </ol>
      <p class="soft">{outcomesText(sessions)}</p>
    </div>
  )
}

function Outcome({ session }: { readonly session: ListedSession }) {
  const { id, state } = session
  const hasSucceeded = state.name === 'succeeded'
  const tone = hasSucceeded ? 'is-good' : isBad(session) ? 'is-bad' : ''
  const text = visible(state.text)
  return (
    <li class={tone}>
      <a href={sessionPath(id)} aria-label={text} title={text}>
        <Icon name={hasSucceeded ? 'check' : isBad(session) ? 'cross' : 'stop'} small />
      </a>
    </li>
  )
}

async function ended(
  filter: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly ListedSession[]> {
  const asked = { ...filter, status: 'succeeded,failed,stopped', limit: String(READ), count: 'none' }
  const { data } = await readSessions(new URLSearchParams(asked).toString(), signal)
  return data.filter(hasRun).slice(0, MAX_SHOWN)
}

/** The same rule as the gateway's fact `is_first_by_requester` has. */
function hasRun({ began_at: began, state }: ListedSession): boolean {
  return (began !== null && began !== undefined) || state.name === 'succeeded'
}
