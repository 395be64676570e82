import { isAbsolute, join } from 'node:path'

const NAME = 'runbook-agent'

export interface StateFolderRequest {
  /** As the user gave it. */
  readonly setting: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** Of this process; undefined where there are none. */
  readonly uid: number | undefined
}

/** Where the agent keeps what outlives it: the setting, else systemd's, else where the system has such things. */
export function stateFolder({ setting, env, home, uid }: StateFolderRequest): string {
  if (setting) return setting
  // systemd joins several StateDirectory= entries with colons.
  const [systemd] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (systemd) return systemd
  // Before XDG's: with sudo it may be that of the user who called it.
  if (uid === 0) return join('/var/lib', NAME)
  // The XDG Base Directory Specification has relative paths ignored.
  const xdg = env['XDG_STATE_HOME'] ?? ''
  return isAbsolute(xdg) ? join(xdg, NAME) : join(home, '.local', 'state', NAME)
}
