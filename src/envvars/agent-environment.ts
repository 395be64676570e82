import { parsedJson } from '../basics/text/json.ts'
import { goQuote } from '../golang/text/quote.ts'

/** A value, or the reason why the value is refused. The reason never contains a value. */
export type AgentValue =
  { readonly value: string; readonly problem?: never } | { readonly problem: string; readonly value?: never }

/**
 * Variables that no connection may read: credentials of the agent and of secret stores, the places of these
 * credentials, and the agent's settings.
 */
const AGENT_ONLY =
  /^(?:VAULT_TOKEN|VAULT_APP_ROLE_SECRET_ID|HOOP_KEY|HOOP_DSN|HOOP_TOKEN|TOKEN|HOOP_SPIFFE_.*|RUNBOOK_AGENT_.*|NOTIFY_SOCKET|WATCHDOG_USEC|WATCHDOG_PID)$/s

/**
 * Finds the secret in `scheme://name:secret@host:port`. Shorter secrets are left out, because any value could
 * contain one by chance.
 */
const SECRET_IN_KEY = /^[^/]*\/\/[^/@:]*:([^/@]{16,})@/

/**
 * The part of the agent's own environment to which a connection may refer. The values are copied when this
 * object is created. Private fields keep them out of JSON and `inspect`.
 */
export class AgentEnvironment {
  readonly #variables = new Map<string, string>()
  readonly #credentials: readonly string[]
  readonly #own: ReadonlySet<string>
  readonly #parsed = new Map<string, JsonStrings>()

  /**
   * @param key the agent's credential from any source; empty without a credential
   * @param own further variables with settings of the agent; the caller may add variables later
   */
  constructor(
    environment: Readonly<Record<string, string | undefined>>,
    key: string,
    own: ReadonlySet<string> = new Set(),
  ) {
    this.#own = own
    for (const [name, value] of Object.entries(environment)) {
      if (value !== undefined) this.#variables.set(name, value)
    }
    this.#credentials = [key, SECRET_IN_KEY.exec(key)?.[1] ?? ''].filter((credential) => credential !== '')
  }

  /** Returns a variable. Its value may be empty. */
  variable(name: string): AgentValue {
    if (this.#isOwn(name)) return belongsToAgent(name)
    const value = this.#variables.get(name)
    if (value === undefined) {
      const way = 'set it where the agent is started'
      return { problem: `the agent has no environment variable ${goQuote(name)}, ${way}` }
    }
    return this.#holdsCredential(value) ? holdsKey(name) : { value }
  }

  /** Returns one string of the JSON object in a variable. An empty variable counts as missing, as in hoop. */
  member(name: string, key: string): AgentValue {
    if (this.#isOwn(name)) return belongsToAgent(name)
    const text = this.#variables.get(name)
    if (!text) return { problem: `environment variable ${goQuote(name)} not found` }
    const { members, problem } = this.#parse(name, text)
    if (members === undefined) {
      if (this.#holdsCredential(text)) return holdsKey(name)
      return { problem: `failed decoding environment variable ${goQuote(name)} to json, err=${problem}` }
    }
    const value = members.get(key)
    if (value === undefined) return { problem: `secret key ${goQuote(key)} not found` }
    return this.#holdsCredential(value) ? holdsKey(name) : { value }
  }

  /**
   * Returns all variables except the agent's own. Commands of an agent with `mode=embedded` get them
   * (protocol.md 5.3, step 10).
   */
  all(): ReadonlyMap<string, string> {
    const open = [...this.#variables].filter(
      ([name, value]) => !this.#isOwn(name) && !this.#holdsCredential(value),
    )
    return new Map(open)
  }

  #isOwn(name: string): boolean {
    return AGENT_ONLY.test(name) || this.#own.has(name)
  }

  #parse(name: string, text: string): JsonStrings {
    const parsed = this.#parsed.get(name) ?? parseJsonStrings(text)
    this.#parsed.set(name, parsed)
    return parsed
  }

  /**
   * Returns whether a value contains a credential, also inside other text. The name of the variable does not
   * matter: sudo puts the whole command line into SUDO_COMMAND.
   */
  #holdsCredential(value: string): boolean {
    return this.#credentials.some((credential) => value.includes(credential))
  }
}

function belongsToAgent(name: string): AgentValue {
  return closed(name, 'because it belongs to the agent itself')
}

function holdsKey(name: string): AgentValue {
  return closed(name, "because it contains the agent's key")
}

function closed(name: string, reason: string): AgentValue {
  const way = 'put the value itself into the connection'
  return { problem: `environment variable ${goQuote(name)} cannot be used by connections, ${reason}: ${way}` }
}

/** The members by name, or the reason why the text is refused. The reason never quotes the text. */
type JsonStrings =
  | { readonly members: ReadonlyMap<string, string>; readonly problem?: never }
  | { readonly problem: string; readonly members?: never }

/**
 * Reads an object of strings. As in hoop, a value of another type makes the whole object invalid. A null
 * counts as missing. In hoop a null is the empty string, but no program should receive an empty string
 * instead of a secret.
 */
function parseJsonStrings(text: string): JsonStrings {
  const parsed = parsedJson(text)
  if (parsed === undefined) return { problem: 'the value is not JSON' }
  if (!isObject(parsed)) return { problem: 'the value is not a JSON object' }
  const members = new Map<string, string>()
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === 'string') members.set(name, value)
    else if (value !== null) return { problem: 'not all members are strings' }
  }
  return { members }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The PATH of commands if the agent was started without PATH. Debian, Fedora and Alpine keep their programs
 * in these folders.
 */
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
 * Returns the only part of the agent's environment that a child gets. It has no credentials or other values
 * of the agent's host, but always a PATH.
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
