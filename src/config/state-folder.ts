import { isAbsolute, join } from 'node:path'

const NAME = 'runbook-agent'

export interface StateFolderRequest {
  /** The value of `state-dir`, if the user has set it. */
  readonly setting: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** Undefined on systems without user numbers. */
  readonly uid: number | undefined
}

/** Returns the folder for data that is kept after the agent's end. */
export function stateFolder({ setting, env, home, uid }: StateFolderRequest): string {
  if (setting) return setting
  // systemd joins several StateDirectory= entries with colons.
  const [systemd] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (systemd) return systemd
  // Root is checked before XDG_STATE_HOME: with sudo, this variable may belong to the caller.
  if (uid === 0) return join('/var/lib', NAME)
  // The XDG Base Directory Specification says to ignore relative paths.
  const xdg = env['XDG_STATE_HOME'] ?? ''
  return isAbsolute(xdg) ? join(xdg, NAME) : join(home, '.local', 'state', NAME)
}
