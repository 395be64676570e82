/** What keeps the gateway from doing all of its work. Holds no secrets. */
export interface Condition {
  /** Why no session can begin. */
  readonly obstacle: string | undefined
  /** Why no session is removed for its age. */
  readonly doubt: string | undefined
  /** Whom nothing could be told. */
  readonly webhooks: string | undefined
  /** Issues that could not be moved. */
  readonly issues: string | undefined
  /** What is wrong with the certificate, or soon will be. */
  readonly certificate: string | undefined
}

interface Readiness {
  readonly status: 'ready' | 'degraded'
  readonly reason?: string
  /** What else an operator should look at. */
  readonly warning?: string
}

/** Degraded: no session can begin. */
export function readinessOf({ obstacle, doubt, issues, webhooks, certificate }: Condition): Readiness {
  const warning = [doubt, issues, webhooks, certificate].filter((one) => one !== undefined).join('; ')
  return {
    status: obstacle === undefined ? 'ready' : 'degraded',
    ...(obstacle !== undefined && { reason: `the session history cannot be written: ${obstacle}` }),
    ...(warning !== '' && { warning }),
  }
}
