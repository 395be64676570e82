/** A column of a result, as far as its values are read. */
export interface Column {
  readonly name: string
  readonly type: number
  readonly charset: number
  readonly isUnsigned: boolean
}

/** A prepared statement. */
export interface Statement {
  readonly parameters: number
  /** Of its parameters, two bytes each: a client sends them with the first execution. */
  types: Buffer | undefined
  /** Of its open cursor. */
  columns: readonly Column[]
}

/** What a command is answered with: one packet, a list of columns, the parts of a statement, results or rows. */
type AnswerKind = 'packet' | 'fields' | 'prepare' | 'query' | 'execute' | 'fetch'

/** A command that the server has to answer. */
export interface Awaited {
  readonly kind: AnswerKind
  /** Packets of the command that the server has not got: the client counts on from those that it has sent. */
  readonly shift: number
  /** The statement of an execution or a fetch. */
  readonly statement?: number
}

/** Statements that a connection remembers. Servers allow fewer. */
const MAX_STATEMENTS = 20_000

/** What client and server talk about: the answers that are to come, in order, and the prepared statements. */
export class Dialogue {
  readonly #awaited: Awaited[] = []
  readonly #statements = new Map<number, Statement>()

  get current(): Awaited | undefined {
    return this.#awaited[0]
  }

  expect(answer: Awaited): void {
    this.#awaited.push(answer)
  }

  /** The current answer is complete. */
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
