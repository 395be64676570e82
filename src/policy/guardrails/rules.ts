/** One guardrail rule, as the gateway sends it (protocol.md 8.1): its `type` says which of the other members count. */
export interface Rule {
  /** `deny_words_list` or `pattern_match`. Another one is an error when it is reached. */
  readonly type: string
  readonly words: readonly string[]
  readonly pattern: string
  /** What the administrator wants people to read; may be empty. */
  readonly message: string
  /**
   * The place of a rule of the server's owner, e.g. `/etc/runbook-agent/rules.yaml:4`. Rules of a gateway have none.
   */
  readonly source?: string
}

export interface RuleSet {
  readonly rules: readonly Rule[]
}

/** The rules of a session. Both lists in the order in which they came, without sets that are equal to an earlier one. */
export interface Guardrails {
  readonly input: readonly RuleSet[]
  readonly output: readonly RuleSet[]
}

/** Where a rule stands: both count from 0. */
export interface RulePlace {
  readonly set: number
  readonly rule: number
}

export interface Violation extends RulePlace {
  readonly outcome: 'violation'
  readonly hit: Rule
  /** Recorded as hoop does: the words of the list that occurred, in the order of the list, or the pattern. */
  readonly matched: readonly string[]
}

/** The text cannot be judged, so it must not pass. */
export interface Unjudged extends RulePlace {
  readonly outcome: 'error'
  /** The reference's text. */
  readonly message: string
  /** The text for a session that is refused because of it. */
  readonly closing: string
}

export type Verdict = { readonly outcome: 'pass' } | Violation | Unjudged
