import { randomBytes } from 'node:crypto'
import type { Logger } from '../../../basics/logger.ts'
import type { OutputFilter } from '../../../policy/output-filter.ts'
import { OutputStopped } from '../../../policy/output-filter.ts'
import { encodeGuardrailsInfo } from '../../../wire/messages/guardrails-info.ts'
import type { OpenMessage } from '../../../wire/messages/message.ts'
import type { MaskedOutput } from '../../../wire/messages/masking-info.ts'
import { asksForMasking } from '../../masking/masking-result.ts'
import type { SessionMasking } from '../../masking/session-masking.ts'
import type { ValueMasking } from '../../masking/values.ts'
import type { CheckServices } from '../../opening/request.ts'
import { type Blocked, blockedLine, blockedOutput, SessionGuardrails } from '../../policy/guardrails.ts'
import { RefusedError } from '../../refused.ts'

/** Maximum size in bytes of one statement or row that is judged as a whole. */
export const MAX_WHOLE_BYTES = 16 * 1024 * 1024
/**
 * Maximum number of bytes that may wait until their statement or row is whole, over all connections of a
 * session.
 */
const MAX_WAITING_BYTES = 128 * 1024 * 1024
/** Maximum number of broken rules that a session remembers, and that its close names. */
const MAX_BROKEN = 100

/** What the client receives in place of a result that was refused or stopped. */
export interface Refusal {
  readonly message: string
  /** The broken rule, encoded for the gateway; undefined if a statement cannot be judged. */
  readonly info: Buffer | undefined
}

export class SessionRules {
  readonly #guardrails: SessionGuardrails | undefined
  readonly #masking: SessionMasking | undefined
  readonly #log: Logger
  readonly #waiting = { bytes: 0 }
  /** The first break of each rule, by the rule's place. */
  readonly #broken = new Map<string, Blocked>()

  /** Returns undefined without rules and masking. @throws RefusedError if the rules cannot be enforced */
  static async of(open: OpenMessage, services: CheckServices): Promise<SessionRules | undefined> {
    const { sid, params } = open
    const { policy, compiledGuardrails, log } = services
    // Rules apply as for `exec`, because statements are judged before they take effect. Typed input
    // (`connect`) takes effect before it is judged.
    const asking = { ...params, clientVerb: 'exec' }
    const guardrails = await SessionGuardrails.of(asking, policy?.current?.rules, compiledGuardrails)
    const masking = await compileMasking(asking, services, { sid, connection: params.connectionName })
    if (guardrails === undefined && masking === undefined) return undefined
    return new SessionRules(guardrails, masking, log)
  }

  private constructor(
    guardrails: SessionGuardrails | undefined,
    masking: SessionMasking | undefined,
    log: Logger,
  ) {
    this.#guardrails = guardrails
    this.#masking = masking
    this.#log = log
  }

  /** The rules that clients of the session have broken, in the order of the first breaks. */
  get broken(): readonly Blocked[] {
    return [...this.#broken.values()]
  }

  takeMasked(): MaskedOutput | undefined {
    return this.#masking?.result.take()
  }

  takeLastMasked(): MaskedOutput | undefined {
    return this.#masking?.result.takeLast()
  }

  /** @param ended aborts when the client has gone */
  ofConnection(connectionId: string, ended: AbortSignal): ConnectionRules {
    return new ConnectionRules({
      guardrails: this.#guardrails,
      masking: this.#masking,
      values: this.#masking?.values?.(ended),
      waiting: this.#waiting,
      ended,
      broke: (blocked) => this.#remember(blocked),
      statementRefused: (rule) =>
        this.#log.warn({ connectionId, rule }, 'a statement of a native client was refused'),
      resultStopped: (rule) =>
        this.#log.warn({ connectionId, rule }, 'a result for a native client was stopped'),
    })
  }

  #remember(blocked: Blocked): void {
    if (this.#broken.size < MAX_BROKEN && !this.#broken.has(blocked.rule))
      this.#broken.set(blocked.rule, blocked)
  }
}

async function compileMasking(
  params: OpenMessage['params'],
  { masking, log }: CheckServices,
  session: object,
): Promise<SessionMasking | undefined> {
  if (!asksForMasking(params)) return undefined
  const { loadMasking } = await import('../../masking/session-masking.ts')
  return await loadMasking(params, masking, { log, session })
}

interface ConnectionNeeds {
  readonly guardrails: SessionGuardrails | undefined
  readonly masking: SessionMasking | undefined
  readonly values: ValueMasking | undefined
  readonly waiting: { bytes: number }
  readonly ended: AbortSignal
  readonly broke: (blocked: Blocked) => void
  readonly statementRefused: (rule: string) => void
  readonly resultStopped: (rule: string) => void
}

const TOKEN = /refused_by_guardrail_[0-9a-f]{32}/

export class ConnectionRules {
  readonly #needs: ConnectionNeeds
  /** Refusals by the word in the replaced statement. The server quotes this word in its error. */
  readonly #refusals = new Map<string, Refusal>()

  constructor(needs: ConnectionNeeds) {
    this.#needs = needs
  }

  get ended(): AbortSignal {
    return this.#needs.ended
  }

  get judgesInput(): boolean {
    return this.#needs.guardrails?.judgesInput === true
  }

  get judgesOutput(): boolean {
    return this.outputRules !== undefined || this.values !== undefined
  }

  get outputRules(): (() => OutputFilter) | undefined {
    return this.#needs.guardrails?.filters(false, this.ended)[0]
  }

  get values(): ValueMasking | undefined {
    return this.#needs.values
  }

  hasRoomFor(bytes: number): boolean {
    return this.#needs.waiting.bytes + bytes <= MAX_WAITING_BYTES
  }

  /** @param bytes negative for bytes that no longer wait */
  hold(bytes: number): void {
    this.#needs.waiting.bytes += bytes
  }

  /** @throws the signal's reason */
  async judge(texts: readonly Buffer[]): Promise<Refusal | undefined> {
    const { guardrails, ended } = this.#needs
    if (guardrails === undefined) return undefined
    try {
      for (const text of texts) {
        const blocked = await guardrails.judge(text, [], 0, ended)
        if (blocked !== undefined) return this.#forbidden(blocked)
      }
      return undefined
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      return this.unjudged(error.message)
    }
  }

  #forbidden(blocked: Blocked): Refusal {
    this.#needs.broke(blocked)
    this.#needs.statementRefused(blocked.rule)
    return refusalOf(blocked)
  }

  /** Returns the refusal of a statement that the rules cannot judge. */
  unjudged(why: string): Refusal {
    this.#needs.statementRefused(why)
    return { message: why, info: undefined }
  }

  /** Returns the refusal for a stopped result. @throws `error` if it is no OutputStopped */
  stopped(error: unknown): Refusal {
    if (!(error instanceof OutputStopped)) throw error
    const blocked = blockedOutput(error)
    if (blocked !== undefined) this.#needs.broke(blocked)
    this.#needs.resultStopped(blocked?.rule ?? error.message)
    return blocked === undefined ? { message: error.message, info: undefined } : refusalOf(blocked)
  }

  /**
   * Call if the values of a result cannot be read, for example in a binary format. The result then passes
   * unmasked.
   * @throws OutputStopped if there are rules for output, or masking is strict
   */
  cannotRead(what: string): void {
    if (this.outputRules !== undefined)
      throw new OutputStopped(
        'guardrails',
        `${what} cannot be judged by the guardrail rules of this connection`,
      )
    this.#needs.masking?.result.failed(what)
  }

  /**
   * Returns a word that no server accepts as a statement, and that the server's error quotes. Since the
   * server itself refuses the statement, later answers are in order, and the state of the transaction is
   * right.
   */
  wordFor(refusal: Refusal): string {
    const known = Array.from(this.#refusals).find(([, { message }]) => message === refusal.message)
    if (known !== undefined) return known[0]
    const word = `refused_by_guardrail_${randomBytes(16).toString('hex')}`
    this.#refusals.set(word, refusal)
    return word
  }

  /** Returns the refusal whose word a server's error quotes. */
  refusalIn(error: Buffer): Refusal | undefined {
    if (this.#refusals.size === 0) return undefined
    // MySQL servers can be configured to send their errors in UTF-16, so zero bytes are removed.
    const [word] = TOKEN.exec(error.toString('latin1').replaceAll('\0', '')) ?? []
    return word === undefined ? undefined : this.#refusals.get(word)
  }
}

function refusalOf(blocked: Blocked): Refusal {
  return { message: blockedLine(blocked).trimEnd(), info: encodeGuardrailsInfo([blocked.info]) }
}
