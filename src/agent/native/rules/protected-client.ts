import type { Take } from '../delivery.ts'
import type { NativeClient, Target } from '../protocol.ts'
import type { ConnectionRules } from './session-rules.ts'
import type { JudgedStream, MaskedStream } from './streams.ts'

interface Protection {
  readonly statements: Pick<JudgedStream<never>, 'judge' | typeof Symbol.dispose>
  readonly results: Pick<MaskedStream<never>, 'pass' | typeof Symbol.dispose>
}

/**
 * A client whose statements are judged before the protocol reads them, and whose results are judged and
 * masked.
 */
export class ProtectedClient implements NativeClient, Disposable {
  readonly #client: NativeClient
  readonly #rules: ConnectionRules
  readonly #protection: Protection
  #unread: Buffer

  /**
   * Returns undefined without rules and masking; bytes then pass unchanged.
   * @param unread bytes of the client that are not judged yet
   */
  static of(
    {
      client,
      unread,
      target,
    }: { readonly client: NativeClient; readonly unread: Buffer; readonly target: Target },
    protect: (rules: ConnectionRules) => Protection,
  ): ProtectedClient | undefined {
    const rules = target.rules?.ofConnection(client.id, client.gone)
    return rules && new ProtectedClient(client, rules, protect(rules), unread)
  }

  private constructor(client: NativeClient, rules: ConnectionRules, protection: Protection, unread: Buffer) {
    this.#client = client
    this.#rules = rules
    this.#protection = protection
    this.#unread = unread
  }

  [Symbol.dispose](): void {
    this.#protection.statements[Symbol.dispose]()
    this.#protection.results[Symbol.dispose]()
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

  async deliver(take: Take): Promise<void> {
    for (let bytes = await this.next(); bytes !== undefined; bytes = await this.next()) await take(bytes)
  }

  async send(bytes: Buffer): Promise<void> {
    await this.#protection.results.pass(bytes)
  }

  /** Returns undefined if the client has gone meanwhile. */
  async #judged(bytes: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#protection.statements.judge(bytes)
    } catch (error) {
      if (this.#rules.ended.aborted) return undefined
      throw error
    }
  }
}
