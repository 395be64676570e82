/** Where a code stands beside the status of a stream: in its trailers. hoop's programs pass over it. */
export const CODE_TRAILER = 'runbook-agent-code'

/**
 * Why the embedded gateway refuses or ends something, for programs: in the trailers of a stream, and as `code` in
 * answers of REST. A code never changes its meaning; docs/codes.md has them all.
 */
export const GATEWAY_CODES = [
  // Of requests, whatever they are for.
  'unauthenticated',
  'not-permitted',
  'invalid-request',
  'too-large',
  'too-much-at-once',
  'gateway-stopped',
  'history-no-room',
  'history-failed',
  'internal-error',
  // Of sessions.
  'connection-not-found',
  'client-input-refused',
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
  // Of runbooks.
  'runbooks-not-configured',
  'runbook-not-found',
  'invalid-runbook',
  'invalid-parameters',
  'repository-not-found',
  'repository-failed',
  // Of REST alone.
  'session-not-found',
  'endpoint-not-found',
  'malformed-http',
  'request-timeout',
  // Of agents.
  'agent-already-connected',
] as const

export type GatewayCode = (typeof GATEWAY_CODES)[number]

/** Undefined for what is no code: of hoop's gateway, which sends none, and of a newer one of ours that has more. */
export function gatewayCode(value: unknown): GatewayCode | undefined {
  return GATEWAY_CODES.find((code) => code === value)
}
