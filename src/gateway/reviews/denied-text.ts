import type { Review } from './review.ts'

const MAX_CHARACTERS = 500

/** What is told to those who wait, and recorded, in the words of hoop's gateway (protocol.md 4.7). */
export function deniedText({ groups, status, rejectionReason }: Review): string {
  const by = groups.find((entry) => entry.status === status)?.reviewedBy
  const lines = [
    'Access to connection has been denied',
    ...(rejectionReason === undefined ? [] : [`  Reason: ${clean(rejectionReason)}`]),
    ...(by === undefined ? [] : [`  Rejected by ${clean(by)}`]),
  ]
  return lines.join('\n')
}

/** People write it, and terminals show it. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, MAX_CHARACTERS)
}
