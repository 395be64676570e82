import type { Batch } from '../../api/types.ts'
import { Elapsed } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { StateBadge } from '../sessions/state.tsx'

type Run = Batch['runs'][number]

/** The connections, wave by wave. */
export function Waves({ batch }: { readonly batch: Batch }) {
  const waves = Map.groupBy(batch.runs, ({ wave }) => wave)
  return (
    <>
      {[...waves].map(([wave, runs]) => (
        <section key={wave} aria-labelledby={`wave-${wave}`}>
          <h2 id={`wave-${wave}`}>Wave {wave}</h2>
          <ul class="rows">
            {runs.map((run) => (
              <li key={run.connection}>
                <RunRow run={run} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

const WORDS: Readonly<Record<Run['status'], string>> = {
  'not-begun': 'not begun',
  running: 'running',
  succeeded: 'success',
  failed: 'failed',
  unknown: 'not known',
}

function RunRow({ run }: { readonly run: Run }) {
  const { connection, status, session_id: session, started_at: start, ended_at: end } = run
  return (
    <div class="session-row">
      <span class="session-title">
        {session === null ? (
          <Name>{connection}</Name>
        ) : (
          <a href={sessionPath(session)}>
            <Name>{connection}</Name>
          </a>
        )}
      </span>
      {run.state === null ? (
        <span class={`badge badge-${status}`}>{WORDS[status]}</span>
      ) : (
        <StateBadge state={run.state} />
      )}
      <span class="hint session-about">
        {start !== null && <Elapsed from={start} to={end} />}
        {run.message !== undefined && <span dir="auto"> {visible(run.message)}</span>}
      </span>
    </div>
  )
}
