import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { packageFiles } from '../../basics/files/package-files.ts'

/** Where a service is installed, and what it is made from. */
export interface ServicePlace {
  /** The templates of all units. */
  readonly template: string
  readonly gatewayTemplate: string
  readonly node: string
  readonly main: string
  readonly uid: number
  readonly user: string
  /** Absolute paths: for units of the system, and for those of this user. */
  readonly systemUnits: string
  readonly userUnits: string
  /** Where keys and settings are, for a service of the system and of this user. */
  readonly systemConfig: string
  readonly userConfig: string
  /** Where systemd records whose services go on without a login. */
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
