import { useCallback } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { FirstRun } from '../../api/types.ts'
import type { Row } from '../../output/ansi/row.ts'
import { hasFlag } from '../../output/ansi/style.ts'
import type { OutputEvent } from '../../output/block.ts'
import { RowText } from '../../output/output-row.tsx'
import { rowsOf } from '../../output/record.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { StateBadge } from '../sessions/state.tsx'
import '../sessions/run.css'

/** The output that is read at first. The session shows all of it. */
const MAX_BYTES = 256 * 1024
const MAX_ROWS = 1_000

/** The run before this request, as its session tells it. It is no promise about the run that is asked for. */
export function FirstRunCard({ first }: { readonly first: FirstRun }) {
  const { session, state, end_date: end } = first
  return (
    <section class="card first-run" aria-labelledby="first-run">
      <div class="card-head">
        <div class="head-text">
          <h2 id="first-run">The author's dry run</h2>
          <p class="under">
            It ran before this request, at the same commit, on the same connection and with the same values.
            It shows what was there then: what runs now may do something else.
          </p>
        </div>
        <div class="line push">
          {state !== null && <StateBadge state={state} />}
          {end !== null && (
            <span class="soft small">
              ended <Moment at={end} />
            </span>
          )}
        </div>
      </div>
      {state === null ? (
        <p class="card-body">The history of the gateway no longer has this run, and so nobody can read it.</p>
      ) : (
        <Output first={first} />
      )}
      <p class="card-foot small">
        <a href={sessionPath(session)}>Open the session of the dry run</a>
      </p>
    </section>
  )
}

function Output({ first: { session: id, event_size: size } }: { readonly first: FirstRun }) {
  const load = useCallback((signal: AbortSignal) => readBeginning(id, signal), [id])
  const { value, error, reload } = useLoaded(load)
  if (error !== undefined) return <Problem error={error} onRetry={reload} />
  if (value === undefined) return null
  const { rows, bytes, missing } = value
  const shown = rows.slice(0, MAX_ROWS)
  const isCut = rows.length > MAX_ROWS || bytes < size
  if (rows.length === 0) return <p class="card-body soft">It has written no output.</p>
  return (
    <>
      <div class="output log is-wrapped" role="log" aria-label="Output of the dry run" tabIndex={0}>
        {shown.map((row, index) => (
          <div class={isError(row) ? 'row is-err' : 'row'} key={index}>
            <span class="line-number" data-n={index + 1} />
            <span class="line-text">
              <RowText row={row} found="" />
            </span>
          </div>
        ))}
      </div>
      {(isCut || missing > 0) && (
        <p class="card-body is-bad" role="status">
          <strong>This is not the whole output.</strong>{' '}
          {isCut && `Only the first ${shown.length.toLocaleString('en')} lines are shown here. `}
          {missing > 0 && `${missing.toLocaleString('en')} bytes were not recorded.`}
        </p>
      )}
    </>
  )
}

function isError(row: Row): boolean {
  return typeof row !== 'string' && row.some(({ style }) => hasFlag(style, 'stderr'))
}

interface OutputRange {
  readonly events: readonly OutputEvent[]
  readonly missing_bytes: number
}

async function readBeginning(id: string, signal: AbortSignal) {
  const path = `/api/sessions/${encodeURIComponent(id)}/output?bytes=${MAX_BYTES}`
  const { events, missing_bytes: missing } = await ask<OutputRange>('GET', path, { signal })
  const whole = { from: '', skip: 0, style: 0, firstRow: 0, rows: 0, bytes: Number.MAX_SAFE_INTEGER }
  const bytes = events
    .filter(({ type }) => type !== 'i')
    .reduce((sum, { payload }) => sum + atob(payload).length, 0)
  return { rows: rowsOf(whole, events), bytes, missing }
}
