import { oneLine, printableText } from '../../../basics/text/printable.ts'
import { itemTable, type ItemColumn } from '../../../basics/text/table.ts'
import type { Read } from '../../../client/rest/call.ts'
import type {
  BatchAnswer,
  BatchDifferences,
  BatchGroup,
  BatchRunAnswer,
  ListedBatch,
} from '../../../contract/batches.ts'
import { factLines } from '../asking/asking.ts'
import { moment, took } from '../report/words.ts'

export type BatchRead = Read<BatchAnswer>
type ListedRead = Read<ListedBatch>
type RunRead = Read<BatchRunAnswer>

export const BATCH_COLUMNS: readonly ItemColumn<ListedRead>[] = [
  { heading: 'ID', of: ({ id }) => id.slice(0, 8), whole: ({ id }) => id },
  { heading: 'ASKED', leftOut: 3, of: (batch) => moment(batch.created_at) },
  { heading: 'USER', shrinks: true, leftOut: 2, of: ({ owner }) => owner },
  { heading: 'RUNBOOK', shrinks: 'last', of: (batch) => batch.file_name },
  { heading: 'STATUS', of: statusOf },
  { heading: 'DONE', of: doneOf },
  { heading: 'FAILED', leftOut: 1, of: (batch) => String(countsOf(batch).failed) },
  { heading: 'STOPPED', leftOut: 4, of: (batch) => String(countsOf(batch).stopped) },
]
const RUNS: readonly ItemColumn<RunRead>[] = [
  { heading: 'CONNECTION', shrinks: true, of: ({ connection }) => connection },
  { heading: 'WAVE', leftOut: 2, of: ({ wave }) => String(wave) },
  { heading: 'STATUS', shrinks: true, of: (run) => wordsOf(run) ?? run.status.replace('-', ' ') },
  { heading: 'CODE', of: (run) => (run.exit_code === undefined ? '' : String(run.exit_code)) },
  { heading: 'TOOK', leftOut: 1, of: (run) => took(run.began_at, run.ended_at) },
  { heading: 'SESSION', of: (run) => run.session_id.slice(0, 8) },
  { heading: 'WHY', shrinks: true, leftOut: 3, of: ({ message }) => message },
]

const NO_COUNTS = { total: 0, succeeded: 0, failed: 0, stopped: 0, running: 0, not_begun: 0 }

export function countsOf({ counts }: Pick<ListedRead, 'counts'>): typeof NO_COUNTS {
  return counts === undefined ? NO_COUNTS : { ...counts, stopped: counts.stopped ?? 0 }
}

function doneOf(batch: ListedRead): string {
  const { total, succeeded, failed, stopped } = countsOf(batch)
  return `${succeeded + failed + stopped} of ${total}`
}

/** While a batch waits, shows the state of its review, because the batch may already be approved. */
function statusOf({ status, review }: ListedRead): string {
  return status === 'waiting' ? (review?.state?.text ?? status) : status
}

export function batchDetails(batch: BatchRead, width: number): string {
  const facts = factLines([
    ['batch', batch.id],
    ['status', statusOf(batch)],
    ['run it', isApproved(batch) ? `runbook-agent batches exec ${batch.id}` : ''],
    ['stopped', batch.stop?.message ?? ''],
    ['runbook', batch.file_name],
    ['for', batch.owner],
    ['asked', moment(batch.created_at)],
    ['waves', batch.waves.join(', ')],
    ['review', batch.review?.id ?? ''],
    ["review's session", batch.review?.session_id ?? ''],
    ['warning', batch.warning],
    ['retry of', batch.retry_of],
    ['retried as', batch.retried_by],
    ['run again', mayRetry(batch) ? `runbook-agent batches retry ${batch.id}` : ''],
  ])
  return `${facts}\n${itemTable(RUNS, batch.runs, width)}${summary(batch)}`
}

function mayRetry({ retried_by: by, runs }: BatchRead): boolean {
  return by === '' && runs.some(({ retry_group: group }) => group !== '')
}

function isApproved({ status, review }: BatchRead): boolean {
  return status === 'waiting' && review?.state?.name === 'approved'
}

/**
 * Returns undefined if status and exit code say everything. Otherwise the text says, for example, who stopped
 * the run, or for which lock the run waits.
 */
function wordsOf({ state }: RunRead): string | undefined {
  return state === undefined || PLAIN.has(state.name) ? undefined : state.text
}

const PLAIN = new Set(['running', 'succeeded', 'failed'])

/**
 * Returns `197 same, 3 differ` and the groups of results. Returns an empty text before the first run has
 * ended.
 */
function summary(batch: BatchRead): string {
  const { groups, id } = batch
  const counts = countsOf(batch)
  const [usual, ...others] = groups
  if (usual === undefined) return ''
  const lines = groups.map((group) => `  ${groupText(group)}\n`)
  const left = counts.not_begun > 0 ? `, ${counts.not_begun} have not begun` : ''
  const differ = others.reduce((sum, { connections }) => sum + connections.length, 0)
  const more = differ > 0 ? `  compare them: runbook-agent batches diff ${oneLine(id)}\n` : ''
  return `\n${usual.connections.length} same, ${differ} differ${left}\n${lines.join('')}${more}`
}

const NAMED = 5

function groupText({ connections, exit_code: exitCode, code }: Omit<Read<BatchGroup>, 'raw'>): string {
  const how = exitCode === undefined ? code || 'no exit code' : `exit code ${exitCode}`
  const names = connections.slice(0, NAMED).join(', ')
  const more = connections.length > NAMED ? `, and ${connections.length - NAMED} more` : ''
  return oneLine(`${connections.length} x ${how}: ${names}${more}`)
}

/** Shows the most frequent result first, and then each other group with its diff. */
export function differencesText({
  same,
  differ,
  usual,
  differences,
  more_groups: moreGroups,
}: Read<BatchDifferences>): string {
  if (usual === undefined) return 'no run of the batch has ended yet\n'
  const parts = differences.map((one) => {
    const note = one.note === '' ? '' : `  ${oneLine(one.note)}\n`
    return `\n${groupText(one)}\n${printableText(one.diff)}${note}`
  })
  const more = moreGroups > 0 ? `\nand ${moreGroups} more groups\n` : ''
  return `${same} same, ${differ} differ\n\n${groupText(usual)}\n${parts.join('')}${more}`
}

export function endedText(run: RunRead): string {
  const how = run.exit_code === undefined ? '' : ` with exit code ${run.exit_code}`
  const why = run.message === '' ? '' : `: ${run.message}`
  const session = run.session_id === '' ? '' : ` (session ${run.session_id.slice(0, 8)})`
  const time = took(run.began_at, run.ended_at)
  const said = wordsOf(run) ?? `${run.status}${how}`
  return oneLine(`${run.connection}: ${said}${time === '' ? '' : ` in ${time}`}${why}${session}`)
}
