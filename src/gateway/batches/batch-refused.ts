import pLimit from 'p-limit'
import { type ConnectionRefusal, refused, RequestRefused } from '../refusals/request-refused.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/** Maximum number of connections that the message names. The list of refusals has all connections. */
const NAMED = 5

type BatchRow = 'batch-refused' | 'choice-gone/batch' | 'choices-failed/batch'

export function batchRefused(
  refusals: readonly ConnectionRefusal[],
  total: number,
  row: BatchRow = 'batch-refused',
): RequestRefused {
  const named = refusals.slice(0, NAMED).map(({ connection, message }) => `${connection}: ${message}`)
  const more = refusals.length > NAMED ? `; and ${refusals.length - NAMED} more` : ''
  return refused(row, { count: refusals.length, total, reasons: `${named.join('; ')}${more}` }, { refusals })
}

/** Checks all connections before it throws. @throws RequestRefused */
export function checkEach(
  connections: readonly ConnectionSettings[],
  check: (connection: ConnectionSettings) => void,
): void {
  const refusals = connections.flatMap((connection) =>
    connectionRefusal(connection.name, () => check(connection)),
  )
  if (refusals.length > 0) throw batchRefused(refusals, connections.length)
}

export function connectionRefusal(connection: string, check: () => void): ConnectionRefusal[] {
  try {
    check()
    return []
  } catch (error) {
    return [refusalOf(connection, error)]
  }
}

/** Connections that are asked at once, each by a session. */
const ASKED_AT_ONCE = 10

/** As `checkEach`, for checks that ask the connections. @throws RequestRefused */
export async function askEach(
  connections: readonly ConnectionSettings[],
  ask: (connection: ConnectionSettings) => Promise<void>,
): Promise<void> {
  const turns = pLimit(ASKED_AT_ONCE)
  const refusals = await turns.map(connections, (connection) =>
    ask(connection).then(
      () => [],
      (error: unknown) => [refusalOf(connection.name, error)],
    ),
  )
  if (refusals.flat().length > 0)
    throw batchRefused(refusals.flat(), connections.length, rowOf(refusals.flat()))
}

/** If all lists refuse for the same reason, the batch has the same code as a single run would have. */
function rowOf(refusals: readonly ConnectionRefusal[]): BatchRow {
  const [code, ...others] = new Set(refusals.map((refusal) => refusal.code))
  const isOfLists = code === 'choice-gone' || code === 'choices-failed'
  return isOfLists && others.length === 0 ? `${code}/batch` : 'batch-refused'
}

function refusalOf(connection: string, error: unknown): ConnectionRefusal {
  if (!(error instanceof RequestRefused)) throw error
  return { connection, code: error.code, message: error.message.replace(/^nothing has run: /, '') }
}
