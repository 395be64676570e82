/** Name of the trailer that has the code when a stream ends. Hoop's programs ignore this trailer. */
export const CODE_TRAILER = 'runbook-agent-code'

interface Statuses {
  /** The name of the code in grpc-go. Missing if no stream ends with this code. */
  readonly grpc?: string
  /** The possible statuses; the first is the default. Missing if no request is answered with this code. */
  readonly http?: readonly [usual: number, ...others: number[]]
}

/**
 * Codes that tell a program why the embedded gateway refuses or ends something, with their statuses. The codes
 * are in the trailers of a stream, and in `code` of REST's answers. A code never changes its meaning. If hoop
 * also refuses the request, hoop's status is used. docs/endings-and-codes.md lists all codes.
 */
export const STATUSES = {
  // Any request.
  unauthenticated: { grpc: 'Unauthenticated', http: [401] },
  'too-many-failed-sign-ins': { grpc: 'ResourceExhausted', http: [429] },
  'not-permitted': { grpc: 'FailedPrecondition', http: [403] },
  'invalid-request': { grpc: 'InvalidArgument', http: [400, 422] },
  'too-large': { grpc: 'ResourceExhausted', http: [422, 413, 431] },
  'too-much-at-once': { grpc: 'ResourceExhausted', http: [429] },
  'gateway-stopped': { grpc: 'Unknown', http: [503] },
  'gateway-draining': { grpc: 'Unavailable', http: [503] },
  'history-no-room': { grpc: 'Internal', http: [503] },
  'history-failed': { grpc: 'Internal', http: [500] },
  'internal-error': { grpc: 'Internal', http: [500] },
  // Sessions. POST /api/sessions answers 400, as in hoop. Other requests are answered with 404.
  'connection-not-found': { grpc: 'NotFound', http: [404, 400] },
  'client-input-refused': { grpc: 'FailedPrecondition', http: [403] },
  'reason-missing': { grpc: 'InvalidArgument', http: [422] },
  'not-served': { grpc: 'InvalidArgument' },
  'too-many-clients': { grpc: 'ResourceExhausted', http: [429] },
  'opening-timeout': { grpc: 'DeadlineExceeded' },
  'client-not-reading': { grpc: 'ResourceExhausted' },
  'client-left': { grpc: 'Canceled' },
  'agent-offline': { grpc: 'FailedPrecondition' },
  'agent-silent': { grpc: 'Unknown' },
  'agent-lost': { grpc: 'Unknown' },
  'session-killed': { grpc: 'Unknown' },
  'session-expired': { grpc: 'Unknown' },
  'lock-busy': { grpc: 'ResourceExhausted', http: [429] },
  // Runbooks.
  'runbooks-not-configured': { http: [422, 404] },
  'runbook-not-found': { http: [404] },
  'invalid-runbook': { http: [400] },
  'invalid-parameters': { http: [400] },
  'choice-gone': { grpc: 'FailedPrecondition', http: [409] },
  'choices-failed': { grpc: 'Aborted', http: [422] },
  'repository-not-found': { http: [400] },
  'repository-failed': { http: [500, 422] },
  'rule-not-found': { http: [404] },
  'first-missing': { http: [422] },
  'first-void': { grpc: 'FailedPrecondition', http: [409] },
  'first-unfinished': { http: [409] },
  'first-failed': { http: [409] },
  // Reviews.
  'review-not-found': { http: [404] },
  'review-wrong-state': { grpc: 'FailedPrecondition', http: [400, 403] },
  'not-eligible': { http: [400] },
  'already-processing': { http: [409] },
  'outside-time-window': { grpc: 'FailedPrecondition', http: [403] },
  'access-ended': { grpc: 'Aborted' },
  // Batches.
  'batch-refused': { http: [422] },
  'batch-not-found': { http: [404] },
  'batch-wrong-state': { http: [409] },
  'batch-retried': { http: [409] },
  'values-missing': { http: [422] },
  'commit-gone': { http: [409] },
  // Jira.
  'invalid-jira-fields': { grpc: 'InvalidArgument', http: [422] },
  'jira-failed': { grpc: 'Internal', http: [500] },
  'jira-template-not-found': { http: [404] },
  // Schedules.
  'schedule-not-found': { http: [404] },
  'schedule-busy': { http: [409] },
  // Sign-in with an external account.
  'sign-in-refused': { http: [403] },
  'sign-in-expired': { http: [410] },
  'sign-in-failed': { http: [502] },
  // The page only.
  'sign-in-again': { http: [403] },
  'webhook-not-found': { http: [404] },
  // REST only.
  'session-not-found': { http: [404] },
  'download-expired': { http: [410] },
  'endpoint-not-found': { http: [404] },
  'malformed-http': { http: [400, 415, 417] },
  'request-timeout': { http: [408] },
  'foreign-page': { http: [403] },
  // Users and tokens.
  'budget-spent': { grpc: 'ResourceExhausted', http: [429] },
  'token-ended': { grpc: 'Unauthenticated', http: [401] },
  'not-yourself': { http: [422] },
  'user-not-found': { http: [404] },
  'group-not-found': { http: [404] },
  'token-not-found': { http: [404] },
  'name-taken': { http: [409] },
  'declared-in-settings': { http: [422] },
  'too-many-tokens': { http: [422] },
  'not-rotatable': { http: [409] },
  'invalid-settings': { http: [422] },
  'settings-changed': { http: [409] },
  // Agents.
  'agent-not-found': { http: [404] },
  'plugin-not-found': { http: [404] },
  'agent-certificate-refused': { grpc: 'Unauthenticated' },
  'agent-already-connected': { grpc: 'FailedPrecondition' },
  'gateway-superseded': { grpc: 'FailedPrecondition' },
} as const satisfies Readonly<Record<string, Statuses>>

export type GatewayCode = keyof typeof STATUSES

export const GATEWAY_CODES = Object.keys(STATUSES) as GatewayCode[]

/**
 * Returns undefined for an unknown value. Hoop's gateway sends no code, and a newer gateway may send other
 * codes.
 */
export function gatewayCode(value: unknown): GatewayCode | undefined {
  return GATEWAY_CODES.find((code) => code === value)
}
