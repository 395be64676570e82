import type { Review, Session } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { outcomesText, type Ends } from './outcomes-text.ts'

interface OutcomesProps {
  readonly review: Review
  readonly session: Session
}

/** How the last other runs of the runbook, and of the requester, have ended. The gateway counts all of them. */
export function Outcomes({ review: { owner, outcomes }, session }: OutcomesProps) {
  const { runbook = [], requester = [] } = outcomes ?? {}
  if (runbook.length + requester.length === 0) return null
  const commit = session.labels?.['runbookCommit']
  return (
    <section class="card" aria-labelledby="before">
      <div class="card-head">
        <h2 id="before">How other runs went</h2>
        {commit !== undefined && (
          <span class="push soft small">
            This request is at commit <code>{commit.slice(0, 7)}</code>; earlier runs may have had others.
          </span>
        )}
      </div>
      <div class="histories">
        {runbook.length > 0 && <Line name="This runbook" ends={runbook} />}
        {requester.length > 0 && (
          <Line
            name={
              <>
                Run by <Name>{owner}</Name>
              </>
            }
            ends={requester}
          />
        )}
      </div>
    </section>
  )
}

interface LineProps {
  readonly name: preact.ComponentChildren
  readonly ends: Ends
}

function Line({ name, ends }: LineProps) {
  return (
    <div class="history">
      <h3>{name}</h3>
      <ol class="outcomes">
        {ends.toReversed().map((one, at) => (
          <End key={one.session ?? at} end={one} />
        ))}
      </ol>
      <p class="soft">{outcomesText(ends)}</p>
    </div>
  )
}

const SHOWN = {
  succeeded: ['check', 'is-good'],
  failed: ['cross', 'is-bad'],
  stopped: ['stop', ''],
} as const satisfies Readonly<Record<Ends[number]['outcome'], readonly [string, string]>>

/** A run that this person may not see is counted, and has no link. */
function End({ end: { outcome, session } }: { readonly end: Ends[number] }) {
  const [icon, tone] = SHOWN[outcome]
  const text = session === undefined ? `${outcome}, not shown to you` : outcome
  return (
    <li class={tone}>
      {session === undefined ? (
        <span role="img" aria-label={text} title={text}>
          <Icon name={icon} small />
        </span>
      ) : (
        <a href={sessionPath(session)} aria-label={text} title={text}>
          <Icon name={icon} small />
        </a>
      )}
    </li>
  )
}
