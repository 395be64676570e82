import { NativeError } from '../native-error.ts'

/** A column of a result, with the fields that its values need. */
export interface Column {
  readonly name: string
  readonly type: number
  readonly charset: number
  readonly isUnsigned: boolean
}

export interface Statement {
  readonly parameters: number
  /** Types of the parameters, two bytes each. A client sends the types with the first execution. */
  types: Buffer | undefined
  /** Columns of the open cursor. */
  columns: readonly Column[]
}

/** The form of an answer: one packet, a list of columns, the parts of a statement, results or rows. */
type AnswerKind = 'packet' | 'fields' | 'prepare' | 'query' | 'execute' | 'fetch'

/** A command that the server has to answer. */
export interface Awaited {
  readonly kind: AnswerKind
  /** Number of packets that the client counts but the server never received. */
  readonly shift: number
  /** Id of the prepared statement that the command executes or fetches from. */
  readonly statement?: number
}

/** Maximum number of remembered statements. Servers allow fewer. */
const MAX_STATEMENTS = 20_000
/** Maximum number of commands that wait for the server. Drivers send some hundreds at once. */
const MAX_AWAITED = 10_000

/** The state that both directions share: the expected answers, in order, and the prepared statements. */
export class Dialogue {
  readonly #awaited: Awaited[] = []
  readonly #statements = new Map<number, Statement>()

  get current(): Awaited | undefined {
    return this.#awaited[0]
  }

  /** @throws NativeError if too many commands wait */
  expect(answer: Awaited): void {
    if (this.#awaited.length >= MAX_AWAITED)
      throw new NativeError(
        'protocol',
        `${MAX_AWAITED} commands wait for the server: the client must read answers before it sends more`,
      )
    this.#awaited.push(answer)
  }

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
