import type { JournalEntry } from './journal/entries.ts'

type Ended = Extract<JournalEntry, { event: 'ended' }>

/** Maximum number of rules that are counted separately, and maximum length of a rule's text. */
const MAX_RULES = 100
const MAX_RULE_LENGTH = 120

/**
 * Totals since the agent's start. They are computed only from entries of the journal. The agent's status
 * shows `sessions` and `output` with the same field names.
 */
export class Counters {
  readonly #sessions = {
    opened: 0,
    started: 0,
    /** Closes that the gateway confirmed, and closes still unconfirmed when their stream ended. */
    confirmed: 0,
    unconfirmed: 0,
  }
  readonly #output = { bytesRead: 0, bytesSent: 0, bytesLeftOut: 0, bytesRedacted: 0 }
  /** Number of ended sessions for each outcome, and number of ended sessions for each reason. */
  readonly #outcomes = new Map<Ended['outcome'], number>()
  readonly #reasons = new Map<NonNullable<Ended['reason']>, number>()
  /**
   * Number of sessions and system requests that each rule stopped. A list of the server's owner counts as a
   * rule.
   */
  readonly #guardrails = new Map<string, number>()
  /**
   * Number of ended system requests for each outcome. Apart from this map, only `#processesEnded` and
   * `#guardrails` count system requests.
   */
  readonly #systemRequests = new Map<Ended['outcome'], number>()
  #processesEnded = 0

  get sessions() {
    return {
      ...this.#sessions,
      outcomes: Object.fromEntries(this.#outcomes),
      reasons: Object.fromEntries(this.#reasons),
      guardrails: Object.fromEntries(this.#guardrails),
    }
  }

  get output() {
    return { ...this.#output }
  }

  get systemRequests(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#systemRequests)
  }

  /** Background processes that commands had left. */
  get processesEnded(): number {
    return this.#processesEnded
  }

  count(entry: JournalEntry): void {
    if ('request' in entry) return this.#countSystem(entry)
    switch (entry.event) {
      case 'opened':
      case 'started':
      case 'confirmed':
      case 'unconfirmed':
        this.#sessions[entry.event] += 1
        return
      case 'ended':
        return this.#countEnd(entry)
      case 'agent':
      case 'starting':
        return
    }
  }

  #countSystem(entry: JournalEntry): void {
    if (entry.event !== 'ended') return
    increment(this.#systemRequests, entry.outcome)
    this.#countAnyEnd(entry)
  }

  #countEnd(entry: Ended): void {
    increment(this.#outcomes, entry.outcome)
    if (entry.reason !== undefined) increment(this.#reasons, entry.reason)
    this.#countAnyEnd(entry)
    this.#output.bytesRead += entry.bytesRead
    this.#output.bytesSent += entry.bytesSent
    this.#output.bytesLeftOut += entry.bytesLeftOut
    this.#output.bytesRedacted += entry.bytesRedacted
  }

  #countAnyEnd(entry: Ended): void {
    if (entry.guardrail !== undefined) increment(this.#guardrails, this.#ruleOf(entry))
    this.#processesEnded += entry.processesEnded
  }

  /**
   * Rules above the limit are counted together, as `others`: each rule becomes a time series, and time series
   * are never removed.
   */
  #ruleOf({ guardrail = '', guardrailMessage = '' }: Ended): string {
    const text = guardrailMessage === '' ? guardrail : `${guardrail}: ${guardrailMessage}`
    const rule = text.slice(0, MAX_RULE_LENGTH)
    return this.#guardrails.has(rule) || this.#guardrails.size < MAX_RULES ? rule : 'others'
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
