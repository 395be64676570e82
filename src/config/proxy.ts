import { Secret } from '../basics/secret.ts'
import { parseNoProxy, type NoProxy } from './no-proxy.ts'
import type { Problems } from './problems.ts'

/** The proxy for connections with TLS. */
export interface ProxySettings {
  /** `host:port` */
  readonly address: string
  /** `user:password` */
  readonly credentials: Secret | undefined
  readonly bypassed: NoProxy
}

const DEFAULT_PORT = 80

/** `HTTPS_PROXY` and `NO_PROXY`, in capitals or not, as other programs of the system take them. */
export function findProxy(env: NodeJS.ProcessEnv, problems: Problems): ProxySettings | undefined {
  const variable = env['HTTPS_PROXY'] ? 'HTTPS_PROXY' : 'https_proxy'
  const text = env[variable]
  if (!text) return undefined
  const url = proxyUrl(text)
  if (url === undefined) {
    problems.add(variable, 'a proxy is written http://host:port or http://user:password@host:port')
    return undefined
  }
  const { hostname, port, username, password } = url
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    address: `${hostname}:${port === '' ? DEFAULT_PORT : port}`,
    credentials: username === '' ? undefined : new Secret(credentials),
    bypassed: parseNoProxy([env['NO_PROXY'], env['no_proxy']].find(Boolean) ?? ''),
  }
}

function proxyUrl(text: string): URL | undefined {
  try {
    const url = new URL(/^[a-z][\w+.-]*:\/\//i.test(text) ? text : `http://${text}`)
    // Throws on what is no text; the name and the password are needed as they are.
    decodeURIComponent(url.username + url.password)
    return url.protocol === 'http:' && url.hostname !== '' ? url : undefined
  } catch {
    return undefined
  }
}
