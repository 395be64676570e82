import type { BatchDifferences } from '../../contract/batches.ts'
import type { History } from '../history/history.ts'
import { hasFailed, type BatchRun } from './batch.ts'

/** Runs whose last lines are shown. If more have failed, users read the outputs one by one anyway. */
const MAX_FAILURES = 20
const MAX_LINES = 3
const MAX_LINE_CHARACTERS = 300

/** Returns the last lines of stderr of failed runs. */
export function failuresOf(
  history: History,
  runs: readonly BatchRun[],
): NonNullable<BatchDifferences['failures']> {
  return runs
    .filter((run) => hasFailed(run) && run.session !== undefined)
    .slice(0, MAX_FAILURES)
    .map(({ connection, session = '' }) => ({ connection, lines: lastLines(history.errorTail(session)) }))
}

function lastLines(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '')
    .slice(-MAX_LINES)
    .map((line) =>
      line.length > MAX_LINE_CHARACTERS
        ? `${line.slice(0, MAX_LINE_CHARACTERS - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
        : line,
    )
}
