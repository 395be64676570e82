import { type IncomingMessage, request } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { Secret } from '../secret.ts'
import { SetUpError } from '../set-up-error.ts'
import type { Problems } from '../settings/problems.ts'
import { inNetwork, isLoopback, networkOf } from './address.ts'
import { basicAuthorization } from './url-credentials.ts'

/** A proxy that is used only for connections with TLS. */
export interface ProxySettings {
  /** `host:port` */
  readonly address: string
  /** `user:password` */
  readonly credentials: Secret | undefined
  readonly bypassed: NoProxy
}

const DEFAULT_PORT = 80
const EXPECTED = 'a proxy is written http://host:port or http://user:password@host:port'

function variableIn(env: NodeJS.ProcessEnv): string {
  return env['HTTPS_PROXY'] ? 'HTTPS_PROXY' : 'https_proxy'
}

/** Reads `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case, as other programs do. @throws SetUpError */
export function findProxy(env: NodeJS.ProcessEnv): ProxySettings | undefined {
  const variable = variableIn(env)
  const text = env[variable]
  if (!text) return undefined
  const url = proxyUrl(text)
  // The message shows only the expected form, because the value may contain a password.
  if (url === undefined) throw new SetUpError(`${variable}: ${EXPECTED}`)
  const { hostname, port, username, password } = url
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    address: `${hostname}:${port === '' ? DEFAULT_PORT : port}`,
    credentials: username === '' ? undefined : new Secret(credentials),
    bypassed: parseNoProxy([env['NO_PROXY'], env['no_proxy']].find(Boolean) ?? ''),
  }
}

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
    // Throws if the encoding of name or password is invalid.
    decodeURIComponent(url.username + url.password)
    return url.protocol === 'http:' && url.hostname !== '' ? url : undefined
  } catch {
    return undefined
  }
}

type NoProxy = (host: string, port: number) => boolean

/**
 * Parses `NO_PROXY` as Go does: names (`example.com` with its subdomains, `.example.com` for the subdomains
 * only), addresses, networks (`10.0.0.0/8`), or `*`. Names and addresses may have a port. Connections to the
 * loopback never use a proxy.
 */
function parseNoProxy(text: string): NoProxy {
  const entries = text
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const matchers = entries.map(matcherOf)
  return (host, port) =>
    isLoopback(host) || matchers.some((matches) => matches(host.toLowerCase().replace(/\.$/, ''), port))
}

function matcherOf(entry: string): NoProxy {
  if (entry === '*') return () => true
  const network = networkOf(entry)
  if (network !== undefined) return (host) => inNetwork(host, network)
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 0 ? entry : `[${entry}]`) ?? []
  const matchesPort: NoProxy = (_, at) => port === undefined || Number(port) === at
  const address = name.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0) return (host, at) => host === address && matchesPort(host, at)
  const domain = name.replace(/^\*\./, '.')
  const suffix = domain.startsWith('.') ? domain : `.${domain}`
  return (host, at) => (host.endsWith(suffix) || host === domain) && matchesPort(host, at)
}

/** A proxy that passes connections on to other hosts (HTTP CONNECT). */
export interface Proxy {
  /** `host:port` */
  readonly address: string
  /** `user:password`, sent to the proxy. */
  readonly credentials: Secret | undefined
}

export class TunnelError extends Error {
  override readonly name = 'TunnelError'
}

/**
 * Connects the socket to the address through the proxy. Rejects if the socket closes before.
 * @throws TunnelError
 */
export async function tunnel(socket: Socket, address: string, proxy: Proxy): Promise<void> {
  const { statusCode, statusMessage, head } = await connectThrough(socket, address, proxy)
  if (statusCode !== 200) throw new TunnelError(refusal(`${statusCode} ${statusMessage}`.trim(), proxy))
  if (head.length > 0) socket.unshift(head)
}

interface Answer {
  readonly statusCode: number
  readonly statusMessage: string
  readonly head: Buffer
}

function connectThrough(socket: Socket, address: string, { credentials, ...proxy }: Proxy): Promise<Answer> {
  const authorization = credentials && basicAuthorization(credentials.reveal())
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'CONNECT',
      path: address,
      headers: {
        Host: address,
        ...(authorization !== undefined && { 'Proxy-Authorization': authorization }),
      },
      createConnection: () => socket,
    })
    asked.once('connect', (response: IncomingMessage, _, head: Buffer) => {
      const { statusCode = 0, statusMessage = '' } = response
      resolve({ statusCode, statusMessage, head })
    })
    asked.once('error', (error) =>
      reject(new TunnelError(`the proxy ${proxy.address} sent no valid HTTP answer: ${error.message}`)),
    )
    asked.end()
  })
}

function refusal(answer: string, { address, credentials }: Proxy): string {
  const wanted = credentials === undefined ? 'a user and a password' : 'another user or password'
  const advice = answer.startsWith('407') ? `: set ${wanted} in HTTPS_PROXY` : ''
  return `the proxy ${address} answered ${answer.slice(0, 100)}${advice}`
}

/**
 * Returns the proxy of the environment. If the variable's value is not valid, adds a problem and returns
 * undefined.
 */
export function proxyFrom(
  env: NodeJS.ProcessEnv,
  problems: Pick<Problems, 'addFrom'>,
): ProxySettings | undefined {
  try {
    return findProxy(env)
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error
    problems.addFrom(variableIn(env), EXPECTED)
    return undefined
  }
}
