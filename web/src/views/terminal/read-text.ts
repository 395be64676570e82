import { Terminal } from '@xterm/xterm'
import type { Happening, Recording } from './recording.ts'
import { KEPT_ROWS, MAX_PIECE_BYTES, PastText, type PastLine } from './past-text.ts'

/** As much is given to the terminal at once. It parses for 12 ms, and then lets the browser draw. */
const AT_ONCE_BYTES = 64 * 1024

export interface ReadText {
  readonly lines: readonly PastLine[]
  /** What is missing at the end, because there were too many lines. */
  readonly cut: { readonly at: number; readonly bytes: number } | undefined
}

/** Returns the text of a recording. @throws the signal's reason */
export async function readText({ happenings }: Recording, signal: AbortSignal): Promise<ReadText> {
  const terminal = new Terminal({ scrollback: KEPT_ROWS, allowProposedApi: true, logLevel: 'off' })
  try {
    const text = new PastText(terminal)
    const read = await writeAll(terminal, text, happenings, signal)
    text.end()
    const bytes = happenings.slice(read).reduce((sum, one) => sum + sizeOf(one), 0)
    const cut = text.cutAt === undefined ? undefined : { at: text.cutAt, bytes }
    return { lines: text.lines, cut }
  } finally {
    terminal.dispose()
  }
}

/** @returns the number of happenings that became text */
async function writeAll(
  terminal: Terminal,
  text: PastText,
  happenings: readonly Happening[],
  signal: AbortSignal,
): Promise<number> {
  let waiting = 0
  for (const [index, happening] of happenings.entries()) {
    if (waiting > AT_ONCE_BYTES || happening.kind === 'size') {
      await new Promise<void>((resolve) => terminal.write('', resolve))
      signal.throwIfAborted()
      waiting = 0
      if (text.cutAt !== undefined) return index
    }
    if (happening.kind === 'size') text.resize(happening.cols, happening.rows)
    else {
      write(terminal, text, happening, (happenings[index + 1]?.at ?? Infinity) - happening.at)
      waiting += happening.bytes.length
    }
  }
  await new Promise<void>((resolve) => terminal.write('', resolve))
  return happenings.length
}

function write(
  terminal: Terminal,
  text: PastText,
  { at, bytes }: Extract<Happening, { kind: 'output' }>,
  pause: number,
): void {
  terminal.write('', () => text.begin(at))
  for (let from = 0; from < bytes.length; from += MAX_PIECE_BYTES) {
    const end = from + MAX_PIECE_BYTES
    terminal.write(bytes.subarray(from, end), () => text.wrote(end < bytes.length ? 0 : pause))
  }
}

function sizeOf(happening: Happening): number {
  return happening.kind === 'output' ? happening.bytes.length : 0
}
