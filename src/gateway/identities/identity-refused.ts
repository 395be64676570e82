import type { HttpCode } from '../statuses.ts'

/** Something about users or tokens is not possible, or not for this user. Nothing has changed. */
export class IdentityRefused extends Error {
  override readonly name = 'IdentityRefused'
  readonly code: HttpCode

  constructor(code: HttpCode, message: string) {
    super(message)
    this.code = code
  }
}
