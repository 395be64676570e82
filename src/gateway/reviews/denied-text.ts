import type { Review } from './review.ts'

const MAX_CHARACTERS = 500

/** The words of hoop's gateway (protocol.md 4.7), for waiting clients and for the record. */
export function deniedText({ groups, status, rejectionReason }: Review): string {
  const by = groups.find((entry) => entry.status === status)?.reviewedBy
  const lines = [
    'Access to connection has been denied',
    ...(rejectionReason === undefined ? [] : [`  Reason: ${clean(rejectionReason)}`]),
    ...(by === undefined ? [] : [`  Rejected by ${clean(by)}`]),
  ]
  return lines.join('\n')
}

/** Replaces control characters and shortens the text, because people write it and terminals show it. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, MAX_CHARACTERS)
}
