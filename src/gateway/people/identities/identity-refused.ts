import { RequestRefused } from '../../refusals/request-refused.ts'

/** About users or tokens. */
export class IdentityRefused extends RequestRefused {
  override readonly name = 'IdentityRefused'
}
