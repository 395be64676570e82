import type { Review } from '../../api/types.ts'
import { requestText } from './request-name.tsx'
import { ruleText } from './rule-text.ts'

/** Says what a decision has led to. */
export function decidedText(review: Review): string {
  const name = requestText(review)
  switch (review.status) {
    case 'PENDING':
      return `You approved ${name}. It still waits for ${ruleText(review.missing)}.`
    case 'REJECTED':
      return `You rejected ${name}.`
    case 'REVOKED':
      return `You revoked ${name}.`
    case 'APPROVED':
      return review.type !== 'jit' && review.when_approved === true
        ? `You approved ${name}. It runs now, or when its hours begin.`
        : `You approved ${name}. ${review.owner} can use it now.`
    default:
      return `You approved ${name}. It runs now.`
  }
}
