import { NativeError } from '../native-error.ts'

/** A column of a result, with the fields that reading its values needs. */
export interface Column {
  readonly name: string
  readonly type: number
  readonly charset: number
  readonly isUnsigned: boolean
}

export interface Statement {
  readonly parameters: number
  /** Types of the parameters, two bytes each: a client sends them with the first execution. */
  types: Buffer | undefined
  /** Columns of the open cursor. */
  columns: readonly Column[]
}

/**
 * The form of a command's answer: one packet, a list of columns, the parts of a statement, results or rows.
 */
type AnswerKind = 'packet' | 'fields' | 'prepare' | 'query' | 'execute' | 'fetch'

/** A command that the server has to answer. */
export interface Awaited {
  readonly kind: AnswerKind
  /**
   * Packets of the command that the server has not got. The client's sequence numbers count the packets that
   * it has sent.
   */
  readonly shift: number
  /** The statement of an execution or a fetch. */
  readonly statement?: number
}

/** Limit for remembered statements of a connection. Servers allow fewer. */
const MAX_STATEMENTS = 20_000
/** Commands that wait for the server. Drivers send some hundreds in one go. */
const MAX_AWAITED = 10_000

/** The state shared by both directions: the expected answers, in order, and the prepared statements. */
export class Dialogue {
  readonly #awaited: Awaited[] = []
  readonly #statements = new Map<number, Statement>()

  get current(): Awaited | undefined {
    return this.#awaited[0]
  }

  /** @throws NativeError when the client sends more and more without waiting */
  expect(answer: Awaited): void {
    if (this.#awaited.length >= MAX_AWAITED)
      throw new NativeError(
        'protocol',
        `${MAX_AWAITED} commands of the client wait for the server: read answers before you send more`,
      )
    this.#awaited.push(answer)
  }

  /** Removes the current answer, which is complete. */
  done(): void {
    this.#awaited.shift()
  }

  statement(id: number): Statement | undefined {
    return this.#statements.get(id)
  }

  prepared(id: number, parameters: number): void {
    this.#statements.delete(id)
    this.#statements.set(id, { parameters, types: undefined, columns: [] })
    const [oldest] = this.#statements.keys()
    if (this.#statements.size > MAX_STATEMENTS && oldest !== undefined) this.#statements.delete(oldest)
  }

  forget(id: number): void {
    this.#statements.delete(id)
  }

  forgetAll(): void {
    this.#statements.clear()
  }
}
