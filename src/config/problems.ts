import { firstLines } from '../basics/settings/first-lines.ts'

/** The settings cannot be used: one line per problem, each with its setting and where that came from. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Collects what is wrong, so that it can be said all at once. */
export class ConfigurationProblems {
  readonly #lines = new Set<string>()

  get count(): number {
    return this.#lines.size
  }

  /**
   * @param place a flag, a variable, or a place in the file
   * @param message what is accepted or what to do; never a value, which may be a secret in the wrong place
   */
  add(place: string, message: string): void {
    this.#lines.add(`${place}: ${message}`.replaceAll(/\p{Cc}/gu, '?'))
  }

  /** One problem each. */
  toLines(): string[] {
    return firstLines([...this.#lines])
  }

  toError(): ConfigError {
    return new ConfigError(this.toLines().join('\n'))
  }
}
