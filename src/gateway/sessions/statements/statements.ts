import type { RpcCode } from '../../../contract/statuses.ts'
import type { ConnectionMessage } from '../../../wire/messages/native.ts'
import { MysqlMeasure } from './mysql.ts'
import { PostgresMeasure } from './postgres.ts'
import type { SharedCount, StatementNotes } from './running.ts'

/** Maximum number of native clients that an agent serves in one session. */
const MAX_CONNECTIONS = 1000
/** Maximum number of remembered ids of ended connections. It is larger than the agent's own maximum. */
const MAX_OVER = 20_000

/** The message is not forwarded: its connection is over, or the session has to end. */
type Refusal = 'over' | { readonly code: RpcCode; readonly reason: string }

/** Records the statements of a session's native clients, but no parameter values, no data and no answers. */
export class SessionStatements {
  readonly #type: string
  readonly #notesOf: (connectionId: string) => StatementNotes
  /** The key is the id of the native client's connection. */
  readonly #measures = new Map<string, PostgresMeasure | MysqlMeasure>()
  readonly #over = new Set<string>()
  readonly #shared: SharedCount = { waiting: 0 }

  /** @param type type of the session's connection, as sent to the agent */
  constructor(type: string, notesOf: (connectionId: string) => StatementNotes) {
    this.#type = type
    this.#notesOf = notesOf
  }

  /** @returns undefined when the client's message may be forwarded */
  asked(message: ConnectionMessage): Refusal | undefined {
    const { connectionId: id } = message
    if (message.kind === 'connection-close') this.#forget(id)
    if (message.kind !== 'connection-data') return undefined
    const { protocol, data } = message
    // The agent drops bytes of another protocol and bytes of an ended connection. Such bytes must not reach
    // the measure: after them, the measure would not recognize later statements.
    if (protocol !== this.#type)
      return {
        code: 'invalid-request',
        reason: `the client sent packets of ${protocol} in a session of another type`,
      }
    if (this.#over.has(id)) return 'over'
    if (protocol === 'tcp') return undefined
    const measure = this.#measures.get(id) ?? this.#begin(id, protocol)
    // A connection without a measure is refused. Otherwise a client could open the maximum, and its further
    // connections would not be recorded.
    if (measure === undefined)
      return {
        code: 'too-many-clients',
        reason: `a session serves at most ${MAX_CONNECTIONS} native clients at once`,
      }
    measure.fromClient(data)
    return undefined
  }

  answered(message: ConnectionMessage): void {
    if (message.kind === 'connection-close') this.#forget(message.connectionId)
    if (message.kind === 'connection-data') this.#measures.get(message.connectionId)?.fromServer(message.data)
  }

  close(): void {
    for (const measure of this.#measures.values()) measure.close()
  }

  #begin(id: string, protocol: 'postgres' | 'mysql'): PostgresMeasure | MysqlMeasure | undefined {
    if (this.#measures.size >= MAX_CONNECTIONS) return undefined
    const Measure = protocol === 'mysql' ? MysqlMeasure : PostgresMeasure
    const measure = new Measure(this.#notesOf(id), this.#shared)
    this.#measures.set(id, measure)
    return measure
  }

  #forget(id: string): void {
    const measure = this.#measures.get(id)
    if (measure === undefined) return
    measure.close()
    this.#measures.delete(id)
    this.#over.add(id)
    const [oldest] = this.#over
    if (this.#over.size > MAX_OVER && oldest !== undefined) this.#over.delete(oldest)
  }
}
