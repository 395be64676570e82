/** Name of the trailer that has the code when a stream ends. Hoop's programs ignore this trailer. */
export const CODE_TRAILER = 'runbook-agent-code'

/**
 * Codes that tell a program why the embedded gateway refuses or ends something. They are in the trailers of a
 * stream, and in `code` of REST's answers. A code never changes its meaning. docs/endings-and-codes.md lists
 * all codes.
 */
export const GATEWAY_CODES = [
  // Any request.
  'unauthenticated',
  'too-many-failed-sign-ins',
  'not-permitted',
  'invalid-request',
  'too-large',
  'too-much-at-once',
  'gateway-stopped',
  'gateway-draining',
  'history-no-room',
  'history-failed',
  'internal-error',
  // Sessions.
  'connection-not-found',
  'client-input-refused',
  'reason-missing',
  'not-served',
  'too-many-clients',
  'opening-timeout',
  'client-not-reading',
  'client-left',
  'agent-offline',
  'agent-silent',
  'agent-lost',
  'session-killed',
  'session-expired',
  'lock-busy',
  // Runbooks.
  'runbooks-not-configured',
  'runbook-not-found',
  'invalid-runbook',
  'invalid-parameters',
  'choice-gone',
  'choices-failed',
  'repository-not-found',
  'repository-failed',
  'rule-not-found',
  'first-missing',
  'first-void',
  'first-unfinished',
  'first-failed',
  // Reviews.
  'review-not-found',
  'review-wrong-state',
  'not-eligible',
  'already-processing',
  'outside-time-window',
  'access-ended',
  // Batches.
  'batch-refused',
  'batch-not-found',
  'batch-wrong-state',
  'batch-retried',
  'values-missing',
  'commit-gone',
  // Jira.
  'invalid-jira-fields',
  'jira-failed',
  'jira-template-not-found',
  // Schedules.
  'schedule-not-found',
  'schedule-busy',
  // Sign-in with an external account.
  'sign-in-refused',
  'sign-in-expired',
  'sign-in-failed',
  // The page only.
  'sign-in-again',
  'webhook-not-found',
  // REST only.
  'session-not-found',
  'download-expired',
  'endpoint-not-found',
  'malformed-http',
  'request-timeout',
  'foreign-page',
  // Users and tokens.
  'budget-spent',
  'token-ended',
  'not-yourself',
  'user-not-found',
  'group-not-found',
  'token-not-found',
  'name-taken',
  'declared-in-settings',
  'too-many-tokens',
  'not-rotatable',
  'invalid-settings',
  'settings-changed',
  // Agents.
  'agent-not-found',
  'plugin-not-found',
  'agent-certificate-refused',
  'agent-already-connected',
] as const

export type GatewayCode = (typeof GATEWAY_CODES)[number]

/**
 * Returns undefined for an unknown value. Hoop's gateway sends no code, and a newer gateway may send other
 * codes.
 */
export function gatewayCode(value: unknown): GatewayCode | undefined {
  return GATEWAY_CODES.find((code) => code === value)
}
