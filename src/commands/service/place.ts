import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { packageFiles } from '../../basics/files/package-files.ts'

/** Where a service is installed, and what it is made from. */
export interface ServicePlace {
  /** The template of all units. */
  readonly template: string
  readonly node: string
  readonly main: string
  readonly uid: number
  readonly user: string
  /** Absolute paths: for units of the system, and for those of this user. */
  readonly systemUnits: string
  readonly userUnits: string
  /** The default place of the key, for a service of the system and of this user. */
  readonly systemKey: string
  readonly userKey: string
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
    node: process.execPath,
    main: packageFiles.main,
    uid: process.geteuid?.() ?? 0,
    user: userInfo().username,
    systemUnits: '/etc/systemd/system',
    userUnits: join(config, 'systemd/user'),
    systemKey: '/etc/runbook-agent/hoop-key',
    userKey: join(config, 'runbook-agent/hoop-key'),
    lingering: '/var/lib/systemd/linger',
  }
}
