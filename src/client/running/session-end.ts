import type { ConnectError } from '../../dial/connect-error.ts'
import type { GatewayCode } from '../../wire/gateway-codes.ts'
import { codeOfWords } from '../../wire/gateway-words.ts'
import type { ClosedMessage } from '../../wire/messages/message.ts'

/**
 * Why a session ended without an exit code:
 * - `unreachable`: the gateway was not reached, or was lost before the session was open; nothing has run
 * - `refused`: the gateway does not accept the token
 * - `not-permitted`: the token is accepted, but not for this session
 * - `not-found`: the gateway lacks or hides the connection
 * - `invalid`: the gateway does not accept the request
 * - `busy`: the gateway accepts no more sessions at the moment, from this user or from all users
 * - `offline`: the connection's agent is away
 * - `killed`: a user ended the session
 * - `gateway-stopped`: a regular stop of the gateway ended the command
 * - `gateway-draining`: the gateway is stopping and has not begun the session; retry
 * - `agent-lost`, `gateway-lost`: it is unknown whether the command has run to its end
 * - `expired`: the session has reached its time limit
 * - `failed`: any other message of the gateway
 * - `malformed`: the server is not a gateway, or the end had no code
 */
export type NoExitReason =
  | 'unreachable'
  | 'refused'
  | 'not-permitted'
  | 'not-found'
  | 'invalid'
  | 'busy'
  | 'offline'
  | 'killed'
  | 'gateway-stopped'
  | 'gateway-draining'
  | 'agent-lost'
  | 'gateway-lost'
  | 'expired'
  | 'failed'
  | 'malformed'

/** Texts are as the gateway or agent sent them, and may have control characters. */
export type StreamEnd =
  | {
      readonly kind: 'exited'
      readonly exitCode: number
      /** The reason of the end. Empty after a normal end. */
      readonly message: string
      readonly truncatedBytes: number
      /** Whether a guardrail rule has stopped the session. */
      readonly isBlocked: boolean
    }
  | {
      readonly kind: NoExitReason
      readonly message: string
      /** Undefined for hoop's gateway, which has no codes. */
      readonly code?: GatewayCode
    }

/**
 * Makes the end from a close packet, which is from the agent or from a gateway in place of the agent. A
 * missing code is not a success.
 */
export function endOfClose({ exitCode, message, truncatedBytes, guardrails }: ClosedMessage): StreamEnd {
  if (exitCode === undefined || exitCode < 0) return { kind: 'malformed', message }
  return { kind: 'exited', exitCode, message, truncatedBytes, isBlocked: guardrails !== undefined }
}

/** Makes the end of a stream that ended without a close packet. */
export function endOfStream(error: ConnectError, isOpen: boolean): StreamEnd {
  const { code, message } = error
  const reason = code === undefined ? reasonOfStatus(error) : reasonOfCode(code)
  if (reason === undefined) return { kind: isOpen ? 'gateway-lost' : 'unreachable', message }
  // If the session was open, something may have run. Then `invalid` or `busy` means a failure, and not that
  // the request was wrong.
  const isWrongUse = reason === 'invalid' || reason === 'busy'
  return { kind: isOpen && isWrongUse ? 'failed' : reason, message, ...(code !== undefined && { code }) }
}

/**
 * Finds the reason of an error with a status, which is from hoop's gateway or from gRPC itself. Returns
 * undefined for an error without a status, because this is not from a gateway.
 */
function reasonOfStatus({ status, message }: ConnectError): NoExitReason | undefined {
  switch (status) {
    case undefined:
      return undefined
    case 'UNAUTHENTICATED':
      return 'refused'
    case 'PERMISSION_DENIED':
      return 'not-permitted'
    case 'NOT_FOUND':
      return 'not-found'
    case 'INVALID_ARGUMENT':
    case 'RESOURCE_EXHAUSTED':
      return 'invalid'
    case 'FAILED_PRECONDITION':
      return codeOfWords(message) === 'agent-offline' ? 'offline' : 'not-permitted'
    case 'ABORTED':
    case 'DEADLINE_EXCEEDED':
      return 'expired'
    case 'UNIMPLEMENTED':
      return 'malformed'
    default:
      return reasonInWords(message)
  }
}

/**
 * Finds the reason in a text without a code. Such a text is from hoop's gateway, or from a record of the
 * embedded gateway.
 */
export function reasonInWords(message: string): NoExitReason {
  const code = codeOfWords(message)
  return code === undefined ? 'failed' : reasonOfCode(code)
}

const REASONS: Readonly<Record<GatewayCode, NoExitReason>> = {
  unauthenticated: 'refused',
  'too-many-failed-sign-ins': 'busy',
  'not-permitted': 'not-permitted',
  'invalid-request': 'invalid',
  'reason-missing': 'invalid',
  'too-large': 'invalid',
  'too-much-at-once': 'busy',
  'gateway-stopped': 'gateway-stopped',
  'gateway-draining': 'gateway-draining',
  'history-no-room': 'failed',
  'history-failed': 'failed',
  'internal-error': 'failed',
  'connection-not-found': 'not-found',
  'choice-gone': 'invalid',
  'choices-failed': 'failed',
  'client-input-refused': 'not-permitted',
  'not-served': 'invalid',
  'too-many-clients': 'busy',
  'opening-timeout': 'expired',
  'client-not-reading': 'failed',
  'client-left': 'failed',
  'agent-offline': 'offline',
  'agent-silent': 'failed',
  'agent-lost': 'agent-lost',
  'session-killed': 'killed',
  'session-expired': 'expired',
  'lock-busy': 'busy',
  'runbooks-not-configured': 'invalid',
  'runbook-not-found': 'not-found',
  'invalid-runbook': 'invalid',
  'invalid-parameters': 'invalid',
  'repository-not-found': 'invalid',
  'repository-failed': 'failed',
  'rule-not-found': 'not-found',
  'first-missing': 'invalid',
  'first-void': 'invalid',
  'first-unfinished': 'invalid',
  'first-failed': 'invalid',
  'review-not-found': 'not-found',
  'review-wrong-state': 'not-permitted',
  'not-eligible': 'not-permitted',
  'already-processing': 'failed',
  'outside-time-window': 'not-permitted',
  'access-ended': 'expired',
  'batch-refused': 'invalid',
  'batch-not-found': 'not-found',
  'batch-wrong-state': 'failed',
  'batch-retried': 'failed',
  'values-missing': 'invalid',
  'commit-gone': 'failed',
  'invalid-jira-fields': 'invalid',
  'jira-failed': 'failed',
  'jira-template-not-found': 'not-found',
  'schedule-not-found': 'not-found',
  'schedule-busy': 'busy',
  'sign-in-refused': 'refused',
  'sign-in-expired': 'expired',
  'sign-in-failed': 'failed',
  'sign-in-again': 'not-permitted',
  'webhook-not-found': 'not-found',
  'session-not-found': 'not-found',
  'download-expired': 'not-found',
  'endpoint-not-found': 'not-found',
  'malformed-http': 'invalid',
  'foreign-page': 'not-permitted',
  'request-timeout': 'invalid',
  'budget-spent': 'busy',
  'token-ended': 'expired',
  'not-yourself': 'invalid',
  'user-not-found': 'not-found',
  'group-not-found': 'not-found',
  'token-not-found': 'not-found',
  'name-taken': 'invalid',
  'declared-in-settings': 'invalid',
  'too-many-tokens': 'invalid',
  'not-rotatable': 'invalid',
  'invalid-settings': 'invalid',
  'settings-changed': 'failed',
  'agent-not-found': 'not-found',
  'plugin-not-found': 'not-found',
  'agent-certificate-refused': 'refused',
  'agent-already-connected': 'failed',
  'gateway-superseded': 'refused',
}

export function reasonOfCode(code: GatewayCode): NoExitReason {
  return REASONS[code]
}
