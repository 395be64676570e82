import { RequestRefused } from '../refusals/request-refused.ts'

/** About a review. */
export class ReviewRefused extends RequestRefused {
  override readonly name = 'ReviewRefused'
}
