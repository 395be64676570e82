import { useEffect, useState } from 'preact/hooks'
import type { Session } from '../../api/types.ts'
import { inTurns } from '../../output/turn.ts'
import { readTables } from '../../result/read-result.ts'
import type { ResultTable } from '../../result/table.ts'
import type { StdoutText } from '../../result/stdout-text.ts'
import type { SessionOutput } from './session-output.tsx'

interface Read {
  readonly tables: readonly ResultTable[]
  readonly isReading: boolean
}

const NONE: Read = { tables: [], isReading: true }

/**
 * While the session runs, the page rests this many times as long as it has read. Reading again after each piece of
 * output would take the browser's time.
 */
const REST_FACTOR = 9
const MIN_REST_MS = 300

/**
 * Searches a session's output for tables. While the session runs, reads again after new output, so that the tables
 * grow.
 */
export function useTables(session: Session, { stdout, state, missing, error }: SessionOutput): Read {
  const [read, setRead] = useState<Read>(NONE)
  const isOver = state === 'over' && session.status === 'done'
  const isCut = missing > 0 || session.truncated_bytes > 0 || !isWhole(session)
  const isRunning = session.status !== 'done'
  useEffect(() => {
    if (!isRunning || error !== undefined) return undefined
    const ended = new AbortController()
    void readAgain(stdout, ended.signal, (tables) => setRead({ tables, isReading: true }))
    return () => ended.abort()
  }, [stdout, isRunning, error])
  useEffect(() => {
    if (!isOver) return undefined
    const ended = new AbortController()
    inTurns(readTables(stdout.text, isCut || stdout.isCut), ended.signal).then(
      (tables) => setRead({ tables, isReading: false }),
      () => undefined,
    )
    return () => ended.abort()
  }, [stdout, isOver, isCut])
  return error === undefined ? read : { tables: [], isReading: false }
}

/** Reads the text again whenever it has grown, until the signal aborts. */
async function readAgain(
  stdout: StdoutText,
  signal: AbortSignal,
  tell: (tables: readonly ResultTable[]) => void,
): Promise<void> {
  let [length, rest] = [0, MIN_REST_MS]
  for (;;) {
    if (!(await rested(rest, signal))) return
    const { text } = stdout
    if (text.length === length) continue
    const began = performance.now()
    const tables = await inTurns(readTables(text, true), signal).catch(() => undefined)
    if (tables === undefined || signal.aborted) return
    length = text.length
    rest = Math.max(MIN_REST_MS, REST_FACTOR * (performance.now() - began))
    // The beginning of the next row may not look like a row yet.
    if (tables.length > 0) tell(tables)
  }
}

/** Resolves to whether the time has passed without an abort. */
function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false)
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stopped)
      resolve(true)
    }, ms)
    const stopped = () => {
      clearTimeout(timer)
      resolve(false)
    }
    signal.addEventListener('abort', stopped, { once: true })
  })
}

/**
 * Whether the output is complete. If a command was stopped, the last line of its output may be incomplete.
 */
function isWhole({ state: { name } }: Session): boolean {
  return name === 'succeeded' || name === 'failed'
}
