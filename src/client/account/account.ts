import path from 'node:path'
import { isLoopback } from '../../basics/net/address.ts'
import { certificatesIn, pemText, systemAuthorities } from '../../basics/net/authorities.ts'
import { findProxy, type Proxy, proxyTo } from '../../basics/net/proxy.ts'
import { hasCredentials } from '../../basics/net/url-credentials.ts'
import { Secret } from '../../basics/secret.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import { hostOf, portOf, serverAddress } from '../../dial/address.ts'
import type { Destination, TlsOptions } from '../../dial/tls.ts'
import { type StoredAccount } from './account-file.ts'

/**
 * The addresses and the token of a user, after all checks. Without allow-plaintext, the token leaves this
 * machine only over TLS.
 */
export interface Account {
  readonly rest: RestAddress
  readonly token: Secret
  /** TLS options of the REST interface. Undefined means plaintext. */
  readonly tls: TlsOptions | undefined
  /**
   * Returns the proxy for connections to `host:port`. Use it only for connections with TLS: the proxy could
   * read the token of others.
   */
  readonly proxyTo: (address: string) => Proxy | undefined
  /** The configured address; undefined when the gateway must be asked for it (serverinfo). */
  readonly grpcUrl: string | undefined
  /** What to do when the token has expired, for example `runbook-agent login --profile production`. */
  readonly renewal: string
  /** @throws SetUpError for an invalid address, or one to which the token would go without TLS */
  readonly destination: (grpcUrl: string) => Destination
}

interface AccountSources {
  readonly env: NodeJS.ProcessEnv
  /** Undefined without a login. */
  readonly stored: StoredAccount | undefined
  /** The file from which `stored` was read. Messages name it. */
  readonly file: string
  /** The profile of the file; undefined for the default profile. */
  readonly profile?: string | undefined
}

const SIGN_IN =
  'not signed in. Run runbook-agent login --api-url https://GATEWAY, or set HOOP_APIURL and HOOP_TOKEN'

/**
 * Variables of the environment override what `login` stored. A stored token goes only to its own gateway,
 * never to another one that a variable names.
 * @throws SetUpError
 */
export function findAccount({ env: all, stored, file, profile }: AccountSources): Account {
  const env = withoutEmpty(all)
  const { HOOP_APIURL, HOOP_GRPCURL, HOOP_TOKEN } = env
  const apiUrl = HOOP_APIURL ?? stored?.api_url
  const token = HOOP_TOKEN ?? stored?.token
  if (!apiUrl || (!token && !HOOP_APIURL)) throw new SetUpError(SIGN_IN)
  if (!token)
    throw new SetUpError(
      'HOOP_APIURL is set and HOOP_TOKEN is not: set HOOP_TOKEN, or sign in with runbook-agent login',
    )
  if (!isToken(token))
    throw new SetUpError(`${HOOP_TOKEN ? 'HOOP_TOKEN' : file}: the token is not one word of ASCII`)
  const rest = restAddress(apiUrl, HOOP_APIURL ? 'HOOP_APIURL' : file)
  const isStoredGateway = rest.url === parseRestAddress(stored?.api_url ?? '')?.url
  if (!HOOP_TOKEN && !isStoredGateway) throw otherGateway('HOOP_APIURL', file)
  const grpcUrl = HOOP_GRPCURL ?? (isStoredGateway ? stored?.grpc_url : undefined)
  if (!HOOP_TOKEN && HOOP_GRPCURL && !isKnownHost(HOOP_GRPCURL, rest, stored))
    throw otherGateway('HOOP_GRPCURL', file)
  const renewal = HOOP_TOKEN ? 'set HOOP_TOKEN to a new token' : signInWords(profile)
  const core = { rest, token: new Secret(token), grpcUrl, renewal }
  return accountOf(core, env, isStoredGateway ? stored : undefined)
}

function signInWords(profile: string | undefined): string {
  return profile === undefined ? 'runbook-agent login' : `runbook-agent login --profile ${profile}`
}

/** Whether an HTTP header can hold the text as a token. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text)
}

function otherGateway(variable: string, file: string): SetUpError {
  return new SetUpError(
    `${variable} does not name the gateway that you are signed in to (${file}); set HOOP_TOKEN as well`,
  )
}

function isKnownHost(grpcUrl: string, rest: RestAddress, stored: StoredAccount | undefined): boolean {
  const host = hostOf(parseStreamAddress(grpcUrl)?.address ?? '')
  return host === rest.host || host === hostOf(parseStreamAddress(stored?.grpc_url ?? '')?.address ?? '')
}

type Core = Pick<Account, 'rest' | 'token' | 'grpcUrl' | 'renewal'>

function accountOf(core: Core, env: NodeJS.ProcessEnv, stored: StoredAccount | undefined): Account {
  const allowPlaintext = flagIn(env, 'RUNBOOK_AGENT_ALLOW_PLAINTEXT') ?? stored?.allow_plaintext ?? false
  const { rest } = core
  if (!rest.isSecure && !allowPlaintext) refusePlaintext(rest.host, rest.url, 'https://')
  const proxy = findProxy(env)
  const tls = (): TlsOptions => readTls(env, stored)
  return {
    ...core,
    tls: rest.isSecure ? tls() : undefined,
    proxyTo: (address) => proxyTo(proxy, hostOf(address), portOf(address)),
    destination: (grpcUrl) => {
      const { address, isSecure } = streamAddress(grpcUrl)
      if (!isSecure && !allowPlaintext) refusePlaintext(hostOf(address), grpcUrl, 'grpcs://')
      return { address, tls: isSecure ? tls() : undefined }
    },
  }
}

/** @throws SetUpError for every host except the loopback */
function refusePlaintext(host: string, url: string, scheme: string): void {
  if (isLoopback(host)) return
  throw new SetUpError(
    `${url}: a token sent to ${host} without TLS can be read by others on the network. Use ${scheme}, or allow-plaintext (login --allow-plaintext, RUNBOOK_AGENT_ALLOW_PLAINTEXT=true)`,
  )
}

function restAddress(text: string, source: string): RestAddress {
  const address = parseRestAddress(text)
  if (address !== undefined) return address
  throw new SetUpError(
    `${source}: the gateway's address must have the form https://host or http://127.0.0.1:8009`,
  )
}

function streamAddress(text: string): StreamAddress {
  const address = parseStreamAddress(text)
  if (address !== undefined) return address
  throw new SetUpError(
    "the gateway's address for streams (HOOP_GRPCURL, login --grpc-url) must have the form grpcs://host:port or grpc://127.0.0.1:8010",
  )
}

function readTls(env: NodeJS.ProcessEnv, stored: StoredAccount | undefined): TlsOptions {
  const skipVerify = flagIn(env, 'HOOP_TLS_SKIP_VERIFY') ?? stored?.tls_skip_verify ?? false
  const serverName = env['HOOP_TLSSERVERNAME'] ?? stored?.tls_server_name
  const ca = env['HOOP_TLSCA'] ?? stored?.tls_ca
  return {
    ...(!skipVerify && { authorities: ca ? readAuthorities(ca) : systemAuthorities(env) }),
    ...(serverName && { serverName }),
    skipVerify,
  }
}

function readAuthorities(ca: string): string[] {
  try {
    return certificatesIn(pemText(ca, (name) => path.resolve(name))).map(String)
  } catch (error) {
    throw error instanceof SetUpError ? new SetUpError(`HOOP_TLSCA: ${error.message}`) : error
  }
}

export function isSwitchedOn(text: string): boolean {
  return text.toLowerCase() === 'true' || text === '1'
}

function flagIn(env: NodeJS.ProcessEnv, name: string): boolean | undefined {
  const text = env[name]
  return text === undefined ? undefined : isSwitchedOn(text)
}

function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}

interface RestAddress {
  readonly host: string
  readonly port: number
  readonly isSecure: boolean
  /** The path before `/api` in the gateway's addresses, such as `/base`. It may be empty. */
  readonly base: string
  /** Without a slash at the end. */
  readonly url: string
}

interface StreamAddress {
  /** `host:port` */
  readonly address: string
  readonly isSecure: boolean
}

/**
 * Parses `https://gateway.example` or `http://127.0.0.1:8009`. Undefined for other forms, and for addresses
 * with a password.
 */
export function parseRestAddress(text: string): RestAddress | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (hasCredentials(url) || url.search !== '' || url.hash !== '') return undefined
  const isSecure = url.protocol === 'https:'
  // Users copy addresses that end in `/api` from a browser or from the documentation.
  const base = url.pathname.replace(/\/+$/, '').replace(/\/api$/, '')
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    isSecure,
    base,
    url: `${url.origin}${base}`,
  }
}

/** As in hoop's client, `host:port` without a scheme means TLS unless the host is this machine. */
export function parseStreamAddress(text: string): StreamAddress | undefined {
  const [, scheme] = /^([a-z]+):\/\//i.exec(text) ?? []
  const address = text.includes('@') ? undefined : serverAddress(text)
  if (address === undefined) return undefined
  switch (scheme?.toLowerCase()) {
    case 'grpcs':
    case 'https':
      return { address, isSecure: true }
    case 'grpc':
    case 'http':
      return { address, isSecure: false }
    case undefined:
      return { address, isSecure: !isLoopback(hostOf(address)) }
    default:
      return undefined
  }
}
