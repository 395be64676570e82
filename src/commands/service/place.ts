import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { packageFiles } from '../../basics/files/package-files.ts'

/** The folders of services on this machine, and the parts of a unit. */
export interface ServicePlace {
  /** The templates of all units. */
  readonly template: string
  readonly gatewayTemplate: string
  readonly node: string
  readonly main: string
  readonly uid: number
  readonly user: string
  /** Absolute paths of the folders for units of the system and of this user. */
  readonly systemUnits: string
  readonly userUnits: string
  /** The folders of keys and settings, for a service of the system and of this user. */
  readonly systemConfig: string
  readonly userConfig: string
  /** The folder in which systemd records the users whose services go on without a login. */
  readonly lingering: string
}

/** This installation on this machine. */
export function thisPlace(): ServicePlace {
  const xdg = process.env['XDG_CONFIG_HOME'] ?? ''
  // The XDG Base Directory Specification says to ignore relative paths.
  const config = isAbsolute(xdg) ? xdg : join(homedir(), '.config')
  return {
    template: packageFiles.unit,
    gatewayTemplate: packageFiles.gatewayUnit,
    node: process.execPath,
    main: packageFiles.main,
    uid: process.geteuid?.() ?? 0,
    user: userInfo().username,
    systemUnits: '/etc/systemd/system',
    userUnits: join(config, 'systemd/user'),
    systemConfig: '/etc/runbook-agent',
    userConfig: join(config, 'runbook-agent'),
    lingering: '/var/lib/systemd/linger',
  }
}

/** The agent or the gateway as a service. */
export interface ServiceKind {
  readonly unit: string
  /** The user that a system service runs as by default. */
  readonly runAs: string
  readonly template: (place: ServicePlace) => string
  /** The file without which the service cannot start: its name in the folder of settings, the flag for another file. */
  readonly file: {
    readonly name: string
    readonly flag: string
    readonly is: string
    readonly holds: string
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
    ...{ name: 'hoop-key', flag: '--key-file', is: 'key file', holds: 'key' },
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
    ...{ name: 'gateway.yaml', flag: '--config', is: 'file', holds: 'settings' },
    remedy: 'Write the settings to it',
  },
  // The service's own group reads it.
  closedTo: 0o007,
  closing: 'other users can read tokens in it: chmod 640',
}
