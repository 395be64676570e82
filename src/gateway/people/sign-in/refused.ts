import { RequestRefused } from '../../refusals/request-refused.ts'

/** A sign-in by a browser or a device came to nothing. */
export class SignInRefused extends RequestRefused {
  override readonly name = 'SignInRefused'
}
