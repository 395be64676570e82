import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where a service is installed, and from where. */
export interface ServicePlace {
  /** The unit that all units are made from. */
  readonly template: string
  readonly node: string
  readonly main: string
  readonly uid: number
  readonly user: string
  /** Absolute paths: where units of the system go, and those of this user. */
  readonly systemUnits: string
  readonly userUnits: string
  /** Where the key is when nobody says, for a service of the system and of this user. */
  readonly systemKey: string
  readonly userKey: string
  /** Where systemd notes whose services go on without a login. */
  readonly lingering: string
}

/** This installation on this machine. */
export function thisPlace(): ServicePlace {
  const xdg = process.env['XDG_CONFIG_HOME'] ?? ''
  // The XDG Base Directory Specification has relative paths ignored.
  const config = isAbsolute(xdg) ? xdg : join(homedir(), '.config')
  return {
    template: fileURLToPath(new URL('../../../systemd/runbook-agent.service', import.meta.url)),
    node: process.execPath,
    main: fileURLToPath(new URL('../../main.js', import.meta.url)),
    uid: process.geteuid?.() ?? 0,
    user: userInfo().username,
    systemUnits: '/etc/systemd/system',
    userUnits: join(config, 'systemd/user'),
    systemKey: '/etc/runbook-agent/hoop-key',
    userKey: join(config, 'runbook-agent/hoop-key'),
    lingering: '/var/lib/systemd/linger',
  }
}
