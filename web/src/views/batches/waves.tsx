import type { Batch } from '../../api/types.ts'
import { Elapsed } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { StateBadge } from '../sessions/state.tsx'

type Run = Batch['runs'][number]

export function Waves({ batch }: { readonly batch: Batch }) {
  const waves = Map.groupBy(batch.runs, ({ wave }) => wave)
  return (
    <section class="card" aria-label="Waves">
      {[...waves].map(([wave, runs]) => (
        <section class="wave" key={wave} aria-labelledby={`wave-${wave}`}>
          <div>
            <h2 id={`wave-${wave}`}>Wave {wave}</h2>
            <p class="soft small">
              {runs.filter(({ status }) => status === 'succeeded').length} of {runs.length} succeeded
            </p>
          </div>
          <ul class="places">
            {runs.map((run) => (
              <li key={run.connection}>
                <RunPlace run={run} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </section>
  )
}

const WORDS: Readonly<Record<Run['status'], string>> = {
  'not-begun': 'not begun',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  unknown: 'unknown',
}

const KINDS = {
  'not-begun': 'queued',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  unknown: 'unknown',
} as const

function RunPlace({ run }: { readonly run: Run }) {
  const { connection, status, session_id: session, began_at: began = null, ended_at: end } = run
  return (
    <>
      <div class="row-text">
        {session === null ? (
          <strong>
            <Name>{connection}</Name>
          </strong>
        ) : (
          <a class="whole" href={sessionPath(session)}>
            <Name>{connection}</Name>
          </a>
        )}
        {began !== null && (
          <span>
            <Elapsed from={began} to={end} />
          </span>
        )}
        {run.message !== undefined && <span dir="auto">{visible(run.message)}</span>}
      </div>
      {run.state === null ? (
        <State kind={KINDS[status]}>{WORDS[status]}</State>
      ) : (
        <StateBadge state={run.state} />
      )}
    </>
  )
}
