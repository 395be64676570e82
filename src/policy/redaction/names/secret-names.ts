import { matchesName, type NameRule } from './name-rule.ts'
import { soundsHarmless, soundsSecret } from './name-words.ts'
import { looksPlain } from '../variants/plain-value.ts'

export { parseNameRule, type NameRule } from './name-rule.ts'

/** Who set the variable: the connection, or the client that runs something on it. */
export type Origin = 'connection' | 'client'

/** Tells by their names which variables hold secrets. */
export class SecretNames {
  readonly #rules: readonly NameRule[]

  /** @param rules the user's; they go before what is built in, and of several that match the last one counts */
  constructor(rules: readonly NameRule[]) {
    this.#rules = rules
  }

  /**
   * Of a name that says nothing: a client's variables are its own parameters, a connection's are secrets, unless the
   * value is ordinary words or a number.
   */
  isSecret(name: string, origin: Origin, value: Buffer): boolean {
    const rule = this.#ruleFor(name)
    if (rule !== undefined) return !rule.readable
    if (soundsSecret(name)) return true
    return origin === 'connection' && !soundsHarmless(name) && !looksPlain(value)
  }

  /** What is given as a file is a secret, whoever gives it and whatever it is called, unless a rule says otherwise. */
  isSecretFile(name: string): boolean {
    return this.#ruleFor(name)?.readable !== true
  }

  #ruleFor(name: string): NameRule | undefined {
    return this.#rules.findLast((candidate) => matchesName(candidate, name))
  }
}
