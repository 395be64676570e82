import type { NativeClient } from '../protocol.ts'
import type { ConnectionRules } from './session-rules.ts'

/** Judges the client's messages. */
interface Statements extends Disposable {
  /** @returns the bytes for the server; a refused statement is replaced by one that no server accepts */
  judge(bytes: Buffer): Promise<Buffer>
}

/** Judges and masks the server's messages, and sends them on. */
interface Results extends Disposable {
  /** @throws ConnectionStopped, when the client has read the reason */
  pass(bytes: Buffer): Promise<void>
}

/**
 * A client whose statements are judged before the protocol reads them. It gets only bytes that were judged
 * and masked.
 */
export class ProtectedClient implements NativeClient, Disposable {
  readonly #client: NativeClient
  readonly #rules: ConnectionRules
  readonly #statements: Statements
  readonly #results: Results
  #unread: Buffer

  /** @param unread bytes that the client has sent, and that are not judged yet */
  constructor(
    client: NativeClient,
    rules: ConnectionRules,
    statements: Statements,
    results: Results,
    unread: Buffer,
  ) {
    this.#client = client
    this.#rules = rules
    this.#statements = statements
    this.#results = results
    this.#unread = unread
  }

  [Symbol.dispose](): void {
    this.#statements[Symbol.dispose]()
    this.#results[Symbol.dispose]()
  }

  get id(): string {
    return this.#client.id
  }

  get gone(): AbortSignal {
    return this.#client.gone
  }

  get ending(): AbortSignal {
    return this.#client.ending
  }

  get isOurs(): boolean {
    return this.#client.isOurs
  }

  get isSilent(): boolean {
    return this.#client.isSilent
  }

  set isSilent(is: boolean) {
    this.#client.isSilent = is
  }

  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const bytes = this.#unread.length > 0 ? this.#unread : await this.#client.next()
      this.#unread = Buffer.alloc(0)
      if (bytes === undefined) return undefined
      const judged = await this.#judged(bytes)
      if (judged === undefined || judged.length > 0) return judged
    }
  }

  async send(bytes: Buffer): Promise<void> {
    await this.#results.pass(bytes)
  }

  /** Returns undefined when the client has gone meanwhile. */
  async #judged(bytes: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#statements.judge(bytes)
    } catch (error) {
      if (this.#rules.ended.aborted) return undefined
      throw error
    }
  }
}
