import { matchesName, type NameRule } from './name-rule.ts'
import { soundsHarmless, soundsSecret } from './name-words.ts'
import { looksPlain } from '../variants/plain-value.ts'

export { parseNameRule, type NameRule } from './name-rule.ts'

/** Who set the variable: the connection, or the client that runs something on it. */
export type Origin = 'connection' | 'client'

/** Tells which variables hold secrets, by their names. */
export class SecretNames {
  readonly #rules: readonly NameRule[]

  /** @param rules the user's. They go before the built-in ones; when several match, the last one counts */
  constructor(rules: readonly NameRule[]) {
    this.#rules = rules
  }

  /**
   * For a name that says nothing: a client's variables are its own parameters, a connection's are secrets, unless the
   * value is ordinary words or a number.
   */
  isSecret(name: string, origin: Origin, value: Buffer): boolean {
    const rule = this.#ruleFor(name)
    if (rule !== undefined) return !rule.readable
    if (soundsSecret(name)) return true
    return origin === 'connection' && !soundsHarmless(name) && !looksPlain(value)
  }

  /** A file is a secret, whoever sends it and whatever its name, unless a rule says otherwise. */
  isSecretFile(name: string): boolean {
    return this.#ruleFor(name)?.readable !== true
  }

  #ruleFor(name: string): NameRule | undefined {
    return this.#rules.findLast((candidate) => matchesName(candidate, name))
  }
}
