import type { HttpCode } from '../../../contract/statuses.ts'

/** A sign-in is not possible. The text is for the person, and says nothing that is not for everybody. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused'
  readonly code: HttpCode

  constructor(code: HttpCode, message: string) {
    super(message)
    this.code = code
  }
}
