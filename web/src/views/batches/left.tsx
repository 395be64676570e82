import { useState } from 'preact/hooks'
import { mayRun, person } from '../../api/person.ts'
import type { Batch, BatchDiff } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { Elapsed } from '../../parts/moment.tsx'
import { batchPath, sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { GROUPS, groupOf } from './groups.ts'
import { RetryDialog } from './retry-dialog.tsx'
import { wordsOf, type Run } from './waves.tsx'

/** Failed runs that are shown at first. */
const SHOWN = 10

interface LeftProps {
  readonly batch: Batch
  /** Undefined before it is loaded, and for those who may not see the output. */
  readonly differences: BatchDiff | undefined
}

/** What a batch has left to do: failed and stopped runs with their last lines, and the way to run them again. */
export function Left({ batch, differences }: LeftProps) {
  const ended = batch.runs
    .filter(({ status }) => status === 'failed' || status === 'unknown' || status === 'stopped')
    .toSorted((a, b) => orderOf(a) - orderOf(b))
  const left = batch.runs.filter((run) => groupOf(run) !== undefined)
  if (ended.length === 0 && left.length === 0) return null
  const hasFailed = batch.counts.failed > 0
  const rows = ended.slice(0, SHOWN)
  const others = ended.slice(SHOWN)
  return (
    <section class={hasFailed ? 'card is-failed' : 'card'} aria-labelledby="left">
      <div class="card-head">
        <Icon name={hasFailed ? 'cross' : ended.length > 0 ? 'stop' : 'more'} />
        <h2 id="left">{headingOf(batch)}</h2>
        <span class="soft small">{nextText(batch, ended.length)}</span>
        <span class="push" />
        <Again batch={batch} isFailed={hasFailed} />
      </div>
      <Failures runs={rows} differences={differences} />
      {others.length > 0 && (
        <details class="group">
          <summary>
            <Icon name="chevron" small />
            {others.length} more
          </summary>
          <Failures runs={others} differences={differences} />
        </details>
      )}
    </section>
  )
}

function headingOf({ runs, counts: { failed, stopped = 0, running } }: Batch): string {
  const parts = GROUPS.flatMap(({ group, words }) => {
    const count = runs.filter((run) => groupOf(run) === group).length
    return count > 0 ? [`${count} ${words}`] : []
  })
  if (parts.length > 0) return parts.join(', ')
  const ends = [failed > 0 && `${failed} failed`, stopped > 0 && `${stopped} stopped`].filter(Boolean)
  return `${ends.join(', ')}${running > 0 ? ' so far' : ''}`
}

/** While the batch runs, says how many failures stop it. */
function nextText({ status, threshold, stop }: Batch, ended: number): string {
  const more = threshold - ended
  if (status !== 'running' || stop !== null || more <= 0) return ''
  return more === 1 ? 'one more failure stops the rest' : `${more} more failures stop the rest`
}

/** What has certainly failed is shown first, and what somebody stopped last. */
function orderOf(run: Run): number {
  return run.status === 'stopped' ? 2 : Number(isUncertain(run))
}

function isUncertain(run: Run): boolean {
  const group = groupOf(run)
  return group === 'may-have-run' || group === 'stopped'
}

interface FailuresProps {
  readonly runs: readonly Run[]
  readonly differences: BatchDiff | undefined
}

function Failures({ runs, differences }: FailuresProps) {
  if (runs.length === 0) return null
  return (
    <ul class="rows">
      {runs.map((run) => (
        <Failure key={run.connection} run={run} lines={linesOf(differences, run)} />
      ))}
    </ul>
  )
}

function linesOf(differences: BatchDiff | undefined, { connection }: Run): readonly string[] {
  return differences?.failures?.find((one) => one.connection === connection)?.lines ?? []
}

function Failure({ run, lines }: { readonly run: Run; readonly lines: readonly string[] }) {
  const { connection, wave, message, session_id: session, began_at: began = null, ended_at: end } = run
  return (
    <li class="failure">
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
        <span>
          wave {wave}, {wordsOf(run)}
          {began !== null && end !== null && (
            <>
              {' '}
              after <Elapsed from={began} to={end} />
            </>
          )}
          {isUncertain(run) && '; it may have had an effect'}
        </span>
        {message !== undefined && <span dir="auto">{visible(message)}</span>}
      </div>
      {lines.length > 0 && (
        <pre
          class="script last-lines above"
          tabIndex={0}
          role="region"
          aria-label={`The last lines that ${visible(connection)} wrote to stderr`}
        >
          {lines.map((line) => visible(line)).join('\n')}
        </pre>
      )}
    </li>
  )
}

function Again({ batch, isFailed }: { readonly batch: Batch; readonly isFailed: boolean }) {
  const [isOpen, setOpen] = useState(false)
  const { owner, runs, retried_by: by } = batch
  if (by !== null)
    return (
      <a class="button is-small" href={batchPath(by)}>
        <Icon name="again" small />
        Open the batch that ran it again
      </a>
    )
  const mayAct = mayRun() && (owner === person.value?.name || person.value?.is_admin === true)
  if (!mayAct || runs.every((run) => groupOf(run) === undefined)) return null
  return (
    <>
      <button
        type="button"
        class="button is-primary is-small"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Icon name="again" small />
        {isFailed ? 'Run the failed again' : 'Run the rest'}
      </button>
      {isOpen && <RetryDialog batch={batch} onClose={() => setOpen(false)} />}
    </>
  )
}
