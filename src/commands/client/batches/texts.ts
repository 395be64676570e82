import { oneLine } from '../../../basics/text/one-line.ts'
import { printableText } from '../../../basics/text/printable.ts'
import { itemTable, type ItemColumn } from '../../../basics/text/table.ts'
import type {
  BatchDifferences,
  BatchGroup,
  BatchRunResult,
  GatewayBatch,
} from '../../../client/rest/batches.ts'
import { factLines } from '../asking/asking.ts'
import { moment, took } from '../report/words.ts'

export const BATCH_COLUMNS: readonly ItemColumn<GatewayBatch>[] = [
  { heading: 'ID', of: ({ id }) => id.slice(0, 8) },
  { heading: 'ASKED', leftOut: 3, of: ({ createdAt }) => moment(createdAt) },
  { heading: 'USER', shrinks: true, leftOut: 2, of: ({ owner }) => owner },
  { heading: 'RUNBOOK', shrinks: true, of: ({ file }) => file },
  { heading: 'STATUS', of: statusOf },
  { heading: 'DONE', of: ({ counts: { total, succeeded, failed } }) => `${succeeded + failed} of ${total}` },
  { heading: 'FAILED', leftOut: 1, of: ({ counts }) => String(counts.failed) },
]
const RUNS: readonly ItemColumn<BatchRunResult>[] = [
  { heading: 'CONNECTION', shrinks: true, of: ({ connection }) => connection },
  { heading: 'WAVE', leftOut: 2, of: ({ wave }) => String(wave) },
  { heading: 'STATUS', shrinks: true, of: (run) => wordsOf(run) ?? run.status.replace('-', ' ') },
  { heading: 'CODE', of: ({ exitCode }) => (exitCode === undefined ? '' : String(exitCode)) },
  { heading: 'TOOK', leftOut: 1, of: ({ startedAt, endedAt }) => took(startedAt, endedAt) },
  { heading: 'SESSION', of: ({ session = '' }) => session.slice(0, 8) },
  { heading: 'WHY', shrinks: true, leftOut: 3, of: ({ message }) => message },
]

/** A batch that waits has the state of the session that its review is about: it may be approved. */
function statusOf({ status, reviewState }: GatewayBatch): string {
  return status === 'waiting' ? (reviewState?.text ?? status) : status
}

/** What it is, how it stands, and each of its runs. */
export function batchDetails(batch: GatewayBatch, width: number): string {
  const facts = factLines([
    ['batch', batch.id],
    ['status', statusOf(batch)],
    ['run it', isApproved(batch) ? `runbook-agent batches exec ${batch.id}` : ''],
    ['stopped', batch.stop?.message ?? ''],
    ['runbook', batch.file],
    ['for', batch.owner],
    ['asked', moment(batch.createdAt)],
    ['waves', batch.waves.join(', ')],
    ['review', batch.reviewSession ?? ''],
    ['warning', batch.warning],
  ])
  return `${facts}\n${itemTable(RUNS, batch.runs, width)}${summary(batch)}`
}

function isApproved({ status, reviewState }: GatewayBatch): boolean {
  return status === 'waiting' && reviewState?.name === 'approved'
}

/** What its status and exit code do not say: who has stopped it, which lock it waits for. */
function wordsOf({ state }: BatchRunResult): string | undefined {
  return state === undefined || PLAIN.has(state.name) ? undefined : state.text
}

const PLAIN = new Set(['running', 'succeeded', 'failed'])

/** `197 same, 3 differ`, and what the groups are; empty while nothing has ended. */
function summary({ groups, counts, id }: GatewayBatch): string {
  const [usual, ...others] = groups
  if (usual === undefined) return ''
  const lines = groups.map((group) => `  ${groupText(group)}\n`)
  const left = counts.not_begun > 0 ? `, ${counts.not_begun} have not begun` : ''
  const differ = others.reduce((sum, { connections }) => sum + connections.length, 0)
  const more = differ > 0 ? `  how: runbook-agent batches diff ${oneLine(id)}\n` : ''
  return `\n${usual.connections.length} same, ${differ} differ${left}\n${lines.join('')}${more}`
}

/** Names in one line. */
const NAMED = 5

function groupText({ connections, exitCode, code }: BatchGroup): string {
  const how = exitCode === undefined ? code || 'no exit code' : `exit code ${exitCode}`
  const names = connections.slice(0, NAMED).join(', ')
  const more = connections.length > NAMED ? `, and ${connections.length - NAMED} more` : ''
  return oneLine(`${connections.length} x ${how}: ${names}${more}`)
}

/** The usual end, and each group that differs from it, with its diff. */
export function differencesText({ same, differ, usual, differences, moreGroups }: BatchDifferences): string {
  if (usual === undefined) return 'nothing has ended yet\n'
  const parts = differences.map((one) => {
    const note = one.note === '' ? '' : `  ${oneLine(one.note)}\n`
    return `\n${groupText(one)}\n${printableText(one.diff)}${note}`
  })
  const more = moreGroups > 0 ? `\nand ${moreGroups} more ways\n` : ''
  return `${same} same, ${differ} differ\n\n${groupText(usual)}\n${parts.join('')}${more}`
}

/** A run that has ended, in one line. */
export function endedText(run: BatchRunResult): string {
  const how = run.exitCode === undefined ? '' : ` with exit code ${run.exitCode}`
  const why = run.message === '' ? '' : `: ${run.message}`
  const session = run.session === undefined ? '' : ` (session ${run.session.slice(0, 8)})`
  const time = took(run.startedAt, run.endedAt)
  const said = wordsOf(run) ?? `${run.status}${how}`
  return oneLine(`${run.connection}: ${said}${time === '' ? '' : ` in ${time}`}${why}${session}`)
}
