import type { RowsAt } from '../../output/all-rows.ts'
import { inTurns, turn } from '../../output/turn.ts'
import { visible } from '../../parts/visible.ts'
import type { PastLine } from './past-text.ts'
import type { ReadText } from './read-text.ts'

/** Lines that are searched before the browser gets a turn. */
const LINES_AT_ONCE = 10_000

export interface Command {
  readonly row: number
  readonly text: string
  /** Seconds from the beginning of the terminal. */
  readonly at: number
}

/** Returns the commands that followed a prompt. */
export function commandsOf(lines: readonly PastLine[]): readonly Command[] {
  return lines.flatMap(({ text, at, prompt }, row) =>
    prompt === undefined ? [] : [{ row, text: visible(text.slice(prompt).trim()), at }],
  )
}

/** Yields the lines for the search. @throws the signal's reason */
export async function* rowsOf(lines: readonly PastLine[], signal: AbortSignal): AsyncGenerator<RowsAt> {
  for (let firstRow = 0; firstRow < lines.length; firstRow += LINES_AT_ONCE) {
    yield { firstRow, rows: lines.slice(firstRow, firstRow + LINES_AT_ONCE).map(({ text }) => text) }
    await turn()
    signal.throwIfAborted()
  }
}

/** Makes the file of the text: a time, a tab and the text in each line. @param start in ms */
export function fileOf(text: ReadText, start: number): Promise<Blob> {
  return inTurns(partsOf(text, start), new AbortController().signal)
}

const TIME = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

function* partsOf({ lines, cut }: ReadText, start: number): Generator<void, Blob, void> {
  const parts: string[] = []
  let [second, time] = [NaN, '']
  const timeAt = (at: number) => {
    const now = Math.floor(start / 1000 + at)
    if (now !== second) [second, time] = [now, TIME.format(now * 1000)]
    return time
  }
  for (const { at, text } of lines) {
    parts.push(`${timeAt(at)}\t${text}\n`)
    yield
  }
  if (cut !== undefined)
    parts.push(`${timeAt(cut.at)}\t... (cut after ${lines.length} lines; the replay has all)\n`)
  return new Blob(parts)
}
