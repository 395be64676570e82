/** PATH for commands of an agent that was started without one. Debian, Fedora and Alpine keep their programs there. */
const FALLBACK_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const INHERITED: ReadonlySet<string> = new Set([
  'HOME',
  'LANG',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TMPDIR',
  'TZ',
  'USER',
])
const LOCALE_VARIABLE = /^LC_[A-Z]+$/

/**
 * The part of the agent's own environment that a child gets, and nothing else: neither the agent's credentials nor
 * anything else of its host may reach a script. PATH is always there.
 */
export function inheritedEnvironment(
  agent: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const inherited = new Map<string, string>()
  for (const [name, value] of Object.entries(agent)) {
    if (value !== undefined && (INHERITED.has(name) || LOCALE_VARIABLE.test(name))) inherited.set(name, value)
  }
  if (!inherited.get('PATH')) inherited.set('PATH', FALLBACK_PATH)
  return inherited
}
