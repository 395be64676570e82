import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutCredentials } from '../../basics/net/url-credentials.ts'
import { RunbookError } from '../refusals/runbook-errors.ts'

/** User and password of an https URL. Without a password, the user may be a token (GitHub). */
export interface UrlCredentials {
  readonly username: string
  readonly password: string | undefined
}

/** `url` is git's argument and never contains a credential. */
export type Remote =
  | { readonly kind: 'local'; readonly url: string }
  | { readonly kind: 'ssh'; readonly url: string }
  | {
      readonly kind: 'https'
      readonly url: string
      /** `https://host[:port]`. Only this origin gets the credentials. */
      readonly origin: string
      readonly credentials: UrlCredentials | undefined
    }

const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(?::\d{1,5})?$/
const USER = /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s
/** Matches git's short form `user@host:path`: it has a colon before the first slash. */
const SCP = /^(?:([^/:@]+)@)?(\[[^\]/]+\]|[^/:@[\]]+):(.*)$/s

/**
 * Reads a local path, `file://`, `https://`, `ssh://` or `user@host:path`. Other texts are refused: git could
 * read them as an option (`--upload-pack=...`) or as a command (`ext::sh -c ...`).
 * @throws RunbookError, which shows no credentials
 */
export function parseRemote(url: string): Remote {
  if (url === '') throw refused(url, 'is empty')
  if (/\p{Cc}/u.test(url)) throw refused(url, 'contains a control character')
  if (url.startsWith('-')) throw refused(url, "must not start with '-'")
  if (/^[A-Za-z0-9+.-]*::/.test(url)) throw refused(url, 'names a git transport helper, which is not allowed')
  const [, scheme, rest] = SCHEME.exec(url) ?? []
  if (scheme !== undefined && rest !== undefined) return parseScheme(url, scheme.toLowerCase(), rest)
  const [, user, host, path] = SCP.exec(url) ?? []
  if (host !== undefined && path !== undefined) return parseScp(url, user, host, path)
  return { kind: 'local', url: resolve(url) }
}

function parseScheme(url: string, scheme: string, rest: string): Remote {
  switch (scheme) {
    case 'file':
      return { kind: 'local', url: localPath(url) }
    case 'https':
      return parseHttps(url, rest)
    case 'ssh':
      return parseSsh(url, rest)
    default:
      throw refused(url, `uses ${scheme}://; use https://, ssh://, file:// or a local path`)
  }
}

function localPath(url: string): string {
  try {
    return resolve(fileURLToPath(url))
  } catch {
    throw refused(url, 'is not a usable file:// URL; write file:///absolute/path')
  }
}

function parseHttps(url: string, rest: string): Remote {
  const { userinfo, host, path } = splitAuthority(url, rest)
  if (/[?#]/.test(path)) throw refused(url, "must not contain '?' or '#'")
  const origin = `https://${host}`
  return { kind: 'https', url: origin + path, origin, credentials: readUserinfo(url, userinfo) }
}

function parseSsh(url: string, rest: string): Remote {
  const { userinfo, host, path } = splitAuthority(url, rest)
  if (userinfo?.includes(':') === true) throw refused(url, 'contains a password: ssh can only use a key')
  if (userinfo !== undefined && !USER.test(userinfo)) throw refused(url, 'has an unusable user name')
  return { kind: 'ssh', url: `ssh://${userinfo === undefined ? '' : `${userinfo}@`}${host}${path}` }
}

function parseScp(url: string, user: string | undefined, host: string, path: string): Remote {
  if (user !== undefined && !USER.test(user)) throw refused(url, 'has an unusable user name')
  if (!HOST.test(host)) throw refused(url, 'has an unusable host name')
  if (path === '' || path.startsWith('-')) throw refused(url, 'has an unusable path')
  // `user:password@host:path` would be parsed as host `user`, and messages would show the password as a path.
  if (path.includes('@')) throw refused(url, "must not contain '@' in its path")
  return { kind: 'ssh', url }
}

function splitAuthority(url: string, rest: string) {
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  const path = slash < 0 ? '' : rest.slice(slash)
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1)
  if (!HOST.test(host)) throw refused(url, 'has an unusable host name')
  if (/^\/*$/.test(path)) throw refused(url, 'has an unusable path')
  return { userinfo: at < 0 ? undefined : authority.slice(0, at), host, path }
}

function readUserinfo(url: string, userinfo: string | undefined): UrlCredentials | undefined {
  if (userinfo === undefined || userinfo === '') return undefined
  const colon = userinfo.indexOf(':')
  const username = decoded(url, colon < 0 ? userinfo : userinfo.slice(0, colon))
  const password = colon < 0 ? '' : decoded(url, userinfo.slice(colon + 1))
  return { username, password: password === '' ? undefined : password }
}

function decoded(url: string, part: string): string {
  let text: string
  try {
    text = decodeURIComponent(part)
  } catch {
    throw refused(url, 'has a user or password with a broken % escape')
  }
  if (/\p{Cc}/u.test(text)) throw refused(url, 'has a user or password with a control character')
  return text
}

function refused(url: string, why: string): RunbookError {
  return new RunbookError(
    'repository',
    `runbook repository URL ${JSON.stringify(withoutCredentials(url).slice(0, 300))} ${why}`,
  )
}

/**
 * The repository's name in REST requests: `<host>/<path>` without user, port and `.git`, as in the hosted
 * gateway (protocol.md 9.1). `git@host:a/b.git` is `host/a/b`; `file:///tmp/rb.git` is `/tmp/rb`.
 */
export function repositoryKey(url: string): string {
  const remote = parseRemote(url)
  if (remote.kind === 'local') return joinKey('', remote.url)
  const [, , rest] = SCHEME.exec(remote.url) ?? []
  if (rest === undefined) return scpKey(remote.url)
  const { host, path } = splitAuthority(url, rest)
  return joinKey(host.replace(/:\d+$/, ''), percentDecoded(path))
}

function scpKey(url: string): string {
  const [, , host = '', path = ''] = SCP.exec(url) ?? []
  return joinKey(host, path)
}

function joinKey(host: string, path: string): string {
  const bare = path.replace(/\.git$/, '').replace(/^\/+|\/+$/g, '')
  return `${host.replace(/^\[|\]$/g, '')}/${bare}`
}

function percentDecoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** A longer name would be too long for the file in which git stores a branch. */
const MAX_BRANCH_LENGTH = 244

/** Throws a RunbookError if git would refuse the name (git-check-ref-format(1)). */
export function checkBranch(branch: string): void {
  const why = brokenRule(branch)
  if (why === undefined) return
  throw new RunbookError(
    'repository',
    `runbook repository branch ${JSON.stringify(branch.slice(0, 300))} ${why}`,
  )
}

function brokenRule(branch: string): string | undefined {
  if (branch === '') return 'is empty; leave the setting out to use the default branch'
  if (branch.length > MAX_BRANCH_LENGTH) return `is longer than ${MAX_BRANCH_LENGTH} characters`
  if (branch.startsWith('-')) return "must not start with '-'"
  if (branch === '@' || branch === 'HEAD') return 'is not a name of a branch'
  if (/[\p{Cc} ~^:?*[\\]/u.test(branch))
    return 'contains a character that git does not allow in a branch name'
  if (/\.\.|@\{|\.$/.test(branch)) return "must not contain '..' or '@{', nor end with '.'"
  if (branch.split('/').some(brokenComponent))
    return "has an empty part, or one that starts with '.' or ends with '.lock'"
  return undefined
}

function brokenComponent(component: string): boolean {
  return component === '' || component.startsWith('.') || component.endsWith('.lock')
}
