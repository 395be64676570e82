import type { SystemRequest } from '../../wire/messages/system-request.ts'

/** What a request is called in log and journal: a malformed one is what it was meant to be. */
export function systemNameOf(request: SystemRequest) {
  return request.kind === 'malformed' ? request.of : request.kind
}
