import { useEffect, useState } from 'preact/hooks'
import type { Session } from '../../api/types.ts'
import { inTurns } from '../../output/turn.ts'
import { readTables } from '../../result/read-result.ts'
import type { ResultTable } from '../../result/table.ts'
import type { SessionOutput } from './session-output.tsx'

interface Read {
  readonly tables: readonly ResultTable[]
  readonly isReading: boolean
}

const NONE: Read = { tables: [], isReading: true }

/** Searches a session's output for tables after the session has ended. */
export function useTables(session: Session, { stdout, state, missing, error }: SessionOutput): Read {
  const [read, setRead] = useState<Read>(NONE)
  const isOver = state === 'over' && session.status === 'done'
  const isCut = missing > 0 || session.truncated_bytes > 0 || !isWhole(session)
  useEffect(() => {
    setRead(NONE)
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

/**
 * Whether the output is complete. If a command was stopped, the last line of its output may be incomplete.
 */
function isWhole({ state: { name } }: Session): boolean {
  return name === 'succeeded' || name === 'failed'
}
