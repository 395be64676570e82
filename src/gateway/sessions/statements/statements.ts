import type { RpcCode } from '../../../contract/statuses.ts'
import type { ConnectionMessage } from '../../../wire/messages/native.ts'
import { MysqlMeasure } from './mysql.ts'
import { PostgresMeasure } from './postgres.ts'
import type { SharedCount, StatementNotes } from './running.ts'

/** As many native clients as an agent serves in one session. */
const MAX_CONNECTIONS = 1000
/** Ids of connections that are over; more than an agent remembers, which serves no id again that it remembers. */
const MAX_OVER = 20_000

/** Why a message is not sent on: its connection is over, or the session has to end. */
type Refusal = 'over' | { readonly code: RpcCode; readonly reason: string }

/** Takes down the statements of a session's native clients, with their ends. Values, data and answers are not recorded. */
export class SessionStatements {
  readonly #type: string
  readonly #notesOf: (connectionId: string) => StatementNotes
  /** By the connection's id. */
  readonly #measures = new Map<string, PostgresMeasure | MysqlMeasure>()
  readonly #over = new Set<string>()
  readonly #shared: SharedCount = { waiting: 0 }

  /** @param type of the session's connection, as the agent knows it */
  constructor(type: string, notesOf: (connectionId: string) => StatementNotes) {
    this.#type = type
    this.#notesOf = notesOf
  }

  /** A message of a client. @returns undefined when it may be sent on */
  asked(message: ConnectionMessage): Refusal | undefined {
    const { connectionId: id } = message
    if (message.kind === 'connection-close') this.#forget(id)
    if (message.kind !== 'connection-data') return undefined
    const { protocol, data } = message
    // The agent drops these bytes and those behind an end: what is read here alone would hide what comes after it.
    if (protocol !== this.#type)
      return { code: 'invalid-request', reason: `packets of ${protocol} in a session of another type` }
    if (this.#over.has(id)) return 'over'
    if (protocol === 'tcp') return undefined
    const measure = this.#measures.get(id) ?? this.#begin(id, protocol)
    // Otherwise a client could do something that is not recorded, behind connections that it leaves open.
    if (measure === undefined)
      return {
        code: 'too-many-clients',
        reason: `a session serves ${MAX_CONNECTIONS} native clients at once`,
      }
    measure.fromClient(data)
    return undefined
  }

  /** A message of the agent. */
  answered(message: ConnectionMessage): void {
    if (message.kind === 'connection-close') this.#forget(message.connectionId)
    if (message.kind === 'connection-data') this.#measures.get(message.connectionId)?.fromServer(message.data)
  }

  /** The session is over. */
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

  /** The connection is over. */
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
