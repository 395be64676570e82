import type { Path } from '../basics/settings/problems.ts'

/** A policy that cannot be used. The message is for the author of the rules. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly path: Path

  constructor(message: string, path: Path = []) {
    super(message)
    this.path = path
  }
}
