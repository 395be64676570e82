import { parseNoProxy, type NoProxy } from './no-proxy.ts'
import { Secret } from '../secret.ts'

/** A proxy. It is used for connections with TLS only. */
export interface ProxySettings {
  /** `host:port` */
  readonly address: string
  /** `user:password` */
  readonly credentials: Secret | undefined
  readonly bypassed: NoProxy
}

/** The variable does not name a proxy. The message shows the expected form, and nothing of the value. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly variable: string

  constructor(variable: string) {
    super('a proxy is written http://host:port or http://user:password@host:port')
    this.variable = variable
  }
}

const DEFAULT_PORT = 80

/** Reads `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case, like other programs. @throws ProxyError */
export function findProxy(env: NodeJS.ProcessEnv): ProxySettings | undefined {
  const variable = env['HTTPS_PROXY'] ? 'HTTPS_PROXY' : 'https_proxy'
  const text = env[variable]
  if (!text) return undefined
  const url = proxyUrl(text)
  if (url === undefined) throw new ProxyError(variable)
  const { hostname, port, username, password } = url
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    address: `${hostname}:${port === '' ? DEFAULT_PORT : port}`,
    credentials: username === '' ? undefined : new Secret(credentials),
    bypassed: parseNoProxy([env['NO_PROXY'], env['no_proxy']].find(Boolean) ?? ''),
  }
}

/** The proxy on the way to a host, if there is one. */
export function proxyTo(
  proxy: ProxySettings | undefined,
  host: string,
  port: number,
): ProxySettings | undefined {
  return proxy?.bypassed(host, port) === true ? undefined : proxy
}

function proxyUrl(text: string): URL | undefined {
  try {
    const url = new URL(/^[a-z][\w+.-]*:\/\//i.test(text) ? text : `http://${text}`)
    // Throws when name or password are encoded wrongly: both are needed exactly.
    decodeURIComponent(url.username + url.password)
    return url.protocol === 'http:' && url.hostname !== '' ? url : undefined
  } catch {
    return undefined
  }
}
