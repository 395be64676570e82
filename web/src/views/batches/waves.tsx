import type { Batch } from '../../api/types.ts'
import { Elapsed } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { StateIcon, toneClass, type StateKind } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { kindOfState } from '../sessions/state.tsx'

export type Run = Batch['runs'][number]

export function Waves({ batch }: { readonly batch: Batch }) {
  const waves = Map.groupBy(batch.runs, ({ wave }) => wave)
  return (
    <section class="card" aria-label="Waves">
      {[...waves].map(([wave, runs]) => (
        <Wave key={wave} wave={wave} runs={runs} parallel={batch.parallel} />
      ))}
    </section>
  )
}

interface WaveProps {
  readonly wave: number
  readonly runs: readonly Run[]
  readonly parallel: number
}

function Wave({ wave, runs, parallel }: WaveProps) {
  const succeeded = runs.filter(({ status }) => status === 'succeeded').length
  return (
    <section class="wave" aria-labelledby={`wave-${wave}`}>
      <div>
        <h2 id={`wave-${wave}`}>Wave {wave}</h2>
        <p class="soft small">{termsOf(runs.length, parallel)}</p>
      </div>
      <div class="stack is-tight">
        <div class="wave-bar">
          <Strip runs={runs} />
          <span class="small">
            {succeeded} of {runs.length} succeeded
          </span>
        </div>
        <ul class="hosts">
          {runs.map((run) => (
            <li key={run.connection}>
              <Host run={run} />
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

function termsOf(runs: number, parallel: number): string {
  if (runs === 1) return '1 connection'
  return parallel < runs ? `${runs} connections, ${parallel} at once` : `${runs} connections at once`
}

const TONES = {
  'not-begun': undefined,
  running: 'is-live',
  succeeded: 'is-good',
  failed: 'is-bad',
  stopped: 'soft',
  unknown: 'is-bad',
} as const

interface StripProps {
  readonly runs: readonly Run[]
  readonly thick?: boolean
}

/** A coloured piece per connection. Hidden from screen readers, because the words beside it say the same. */
export function Strip({ runs, thick = false }: StripProps) {
  return (
    <ol class={thick ? 'strip is-thick' : 'strip'} aria-hidden="true">
      {runs.map(({ connection, status }) => (
        <li key={connection} class={TONES[status]} />
      ))}
    </ol>
  )
}

const KINDS = {
  'not-begun': 'queued',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  stopped: 'stopped',
  unknown: 'unknown',
} as const satisfies Readonly<Record<Run['status'], StateKind>>

/** The end of a run in words. */
export function wordsOf({ state, status }: Run): string {
  return state === null ? status.replace('-', ' ') : visible(state.text)
}

/** A connection with its state. The icon says that a run has succeeded, so the time is enough beside it. */
function Host({ run }: { readonly run: Run }) {
  const { connection, status, state, session_id: session, began_at: began = null, ended_at: end } = run
  const kind = state === null ? KINDS[status] : kindOfState(state)
  const isTimed = began !== null && (status === 'succeeded' || state?.name === 'running')
  const content = (
    <>
      <StateIcon kind={kind} />
      <Name>{connection}</Name>
      {isTimed && <span class="said-only"> {wordsOf(run)} </span>}
      <span>{isTimed ? <Elapsed from={began} to={end} /> : wordsOf(run)}</span>
    </>
  )
  if (session === null) return <span class={toneClass(kind)}>{content}</span>
  const label = `${visible(connection)} ${wordsOf(run)}`
  return (
    <a class={toneClass(kind)} href={sessionPath(session)} title={label}>
      {content}
    </a>
  )
}
