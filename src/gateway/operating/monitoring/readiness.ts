/** What keeps the gateway from doing all of its work. Holds no secrets. */
export interface Condition {
  /** When running sessions are ended, in ms since 1970; undefined unless the gateway is stopping. */
  readonly stopsAt: number | undefined
  /** Why no session can begin. */
  readonly obstacle: string | undefined
  /** Why no session is removed for its age. */
  readonly doubt: string | undefined
  /** The webhooks that could be told nothing. */
  readonly webhooks: string | undefined
  /** Issues that could not be moved. */
  readonly issues: string | undefined
  /** What is wrong with the certificate, or soon will be. */
  readonly certificate: string | undefined
}

interface Readiness {
  readonly status: 'ready' | 'degraded' | 'stopping'
  readonly reason?: string
  /** What else an operator should look at. */
  readonly warning?: string
}

/** Degraded: no session can begin. Stopping: no session begins, and running ones go on for a while. */
export function readinessOf(condition: Condition): Readiness {
  const { stopsAt, obstacle, doubt, issues, webhooks, certificate } = condition
  const warning = [doubt, issues, webhooks, certificate].filter((one) => one !== undefined).join('; ')
  if (stopsAt !== undefined)
    return {
      status: 'stopping',
      reason: `the gateway is stopping: running sessions go on until ${new Date(stopsAt).toISOString()}, new ones are refused`,
      ...(warning !== '' && { warning }),
    }
  return {
    status: obstacle === undefined ? 'ready' : 'degraded',
    ...(obstacle !== undefined && { reason: `the session history cannot be written: ${obstacle}` }),
    ...(warning !== '' && { warning }),
  }
}
