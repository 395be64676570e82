import type { ServicePlace } from './place.ts'

/** What is a service. */
export interface ServiceKind {
  readonly unit: string
  /** The user that a system service runs as, unless it is said otherwise. */
  readonly runAs: string
  readonly template: (place: ServicePlace) => string
  /** What it cannot start without: name in the folder of settings, the flag for another one, and what to put there. */
  readonly file: {
    readonly name: string
    readonly flag: string
    readonly is: string
    readonly remedy: string
  }
  /** Rights on that file that nobody should have. */
  readonly closedTo: number
  readonly closing: string
}

export const AGENT: ServiceKind = {
  unit: 'runbook-agent.service',
  runAs: 'runbook-agent',
  template: ({ template }) => template,
  file: {
    ...{ name: 'hoop-key', flag: '--key-file', is: 'key file' },
    remedy: "Write the agent's key to it (mode 0600)",
  },
  closedTo: 0o077,
  closing: 'other users can read the key: chmod 600',
}

export const GATEWAY: ServiceKind = {
  unit: 'runbook-gateway.service',
  runAs: 'runbook-gateway',
  template: ({ gatewayTemplate }) => gatewayTemplate,
  file: {
    ...{ name: 'gateway.yaml', flag: '--config', is: 'file' },
    remedy: 'Write the settings to it',
  },
  // The service's own group reads it.
  closedTo: 0o007,
  closing: 'other users can read tokens in it: chmod 640',
}
