/** One rule as the gateway sends it (protocol.md 8.1). `type` decides which other members count. */
export interface Rule {
  /** `deny_words_list` or `pattern_match`; any other type is an error when the rule is reached. */
  readonly type: string
  readonly words: readonly string[]
  readonly pattern: string
  /** The administrator's message for users; may be empty. */
  readonly message: string
  /** Place of a server owner's rule: `/etc/runbook-agent/rules.yaml:4`. A gateway's rules have none. */
  readonly source?: string
}

export interface RuleSet {
  readonly rules: readonly Rule[]
}

/** The rules of a session, in the order of the payload, without repeated sets. */
export interface Guardrails {
  readonly input: readonly RuleSet[]
  readonly output: readonly RuleSet[]
}

/** Both numbers count from 0. */
export interface RulePlace {
  readonly set: number
  readonly rule: number
}

export interface Violation extends RulePlace {
  readonly outcome: 'violation'
  readonly hit: Rule
  /** The words that occurred, in the order of the list, or the pattern. Hoop records the same. */
  readonly matched: readonly string[]
}

/** The text cannot be judged, so it must not pass. */
export interface Unjudged extends RulePlace {
  readonly outcome: 'error'
  /** Hoop's text for the author of the rules. */
  readonly message: string
  /** The text for a session that is refused for this reason. */
  readonly closing: string
}

export type Verdict = { readonly outcome: 'pass' } | Violation | Unjudged
