import type { Configuration, IDToken } from 'openid-client'
import { isLoopback } from '../../../basics/net/address.ts'
import { exchange, type HttpQuestion } from '../../../basics/net/exchange.ts'
import { proxyTo } from '../../../basics/net/proxy.ts'
import { patience } from '../../../basics/abort.ts'
import type { RepeatedWarnings } from '../../../basics/logger.ts'
import type { OidcSettings } from '../../settings/oidc.ts'
import { signInRefused } from '../../refusals/request-refused.ts'

/** Facts about an account, after a check of signature, issuer, audience, nonce and times. */
export interface Claims extends Readonly<Record<string, unknown>> {
  readonly iss: string
  readonly sub: string
}

/** These values are made at the beginning of a sign-in. They are checked at the end of the sign-in. */
interface Proof {
  readonly state: string
  readonly nonce: string
  /** PKCE's verifier. */
  readonly verifier: string
}

/**
 * The provider's metadata is read again after this time. The library itself reads the provider's keys again
 * when it finds an unknown key.
 */
const METADATA_MS = 60 * 60 * 1000

/** Asks the OpenID Connect provider. The library for this is loaded only at the first sign-in. */
export class OidcProvider {
  readonly #settings: OidcSettings
  readonly #warnings: RepeatedWarnings
  #discovered: { readonly config: Promise<Configuration>; readonly at: number } | undefined

  constructor(settings: OidcSettings, warnings: RepeatedWarnings) {
    this.#settings = settings
    this.#warnings = warnings
  }

  /** The address for the browser. @throws SignInRefused when the provider does not answer */
  async address(redirectUri: string, { state, nonce, verifier }: Proof): Promise<string> {
    const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await import('openid-client')
    const config = await this.#configuration()
    const url = buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: ['openid', ...this.#settings.scopes].join(' '),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    return url.href
  }

  /** @param answer address to which the provider has sent the browser back @throws SignInRefused */
  async claims(answer: URL, { state, nonce, verifier }: Proof): Promise<Claims> {
    const { authorizationCodeGrant } = await import('openid-client')
    const config = await this.#configuration()
    const checks = {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    }
    const tokens = await this.#asking('the sign-in', () => authorizationCodeGrant(config, answer, checks))
    const claims = tokens.claims()
    if (claims === undefined) throw signInRefused('sign-in-failed/no-id-token')
    return this.#withGroups(config, claims, tokens.access_token)
  }

  /** Takes groups from the provider's user info, if the token has none. */
  async #withGroups(config: Configuration, claims: IDToken, accessToken: string): Promise<Claims> {
    const { groupsClaim } = this.#settings
    if (claims[groupsClaim] !== undefined || !config.serverMetadata().userinfo_endpoint) return claims
    const { fetchUserInfo } = await import('openid-client')
    const info = await this.#asking('the user', () => fetchUserInfo(config, accessToken, claims.sub))
    return { ...info, ...claims }
  }

  async #configuration(): Promise<Configuration> {
    const known = this.#discovered
    if (known !== undefined && Math.abs(Date.now() - known.at) < METADATA_MS) return known.config
    const found = { config: this.#discover(), at: Date.now() }
    this.#discovered = found
    try {
      return await found.config
    } catch (error) {
      // The next sign-in tries again.
      if (this.#discovered === found) this.#discovered = undefined
      throw error
    }
  }

  async #discover(): Promise<Configuration> {
    const client = await import('openid-client')
    const { issuer, clientId, clientSecret, timeoutMs } = this.#settings
    const authentication =
      clientSecret === undefined ? client.None() : client.ClientSecretPost(clientSecret.reveal())
    const options = {
      [client.customFetch]: providerFetch(this.#settings),
      timeout: timeoutMs / 1000,
      // Without this check, the library trusts the connection and verifies no signature.
      execute: [
        client.enableNonRepudiationChecks,
        ...(isPlain(issuer) ? [client.allowInsecureRequests] : []),
      ],
    }
    return this.#asking('its configuration', () =>
      client.discovery(new URL(issuer), clientId, undefined, authentication, options),
    )
  }

  /** The reason of a failure is only logged: a browser's page must not show internals. */
  async #asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      const { issuer } = this.#settings
      const reason = reasonOf(error as Error)
      this.#warnings.warn({ issuer, reason }, `no usable answer from the sign-in provider: ${what}`)
      throw signInRefused('sign-in-failed/answer')
    }
  }
}

/** Returns only the messages of an error and its causes. Other fields may contain data that was sent. */
function reasonOf({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message
  return `${message}: ${reasonOf(cause)}`.slice(0, 500)
}

/** Limit of an answer. The provider's documents, keys and tokens have some ten KB. */
const ANSWER_BYTES = 1024 * 1024

interface Options {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** The library's `fetch`, with the settings' authorities and proxy. Follows no redirects. */
function providerFetch(
  settings: Pick<OidcSettings, 'authorities' | 'issuer' | 'proxy' | 'timeoutMs'>,
): (url: string, options: Options) => Promise<Response> {
  const { createSecureContext } = process.getBuiltinModule('node:tls')
  let context: ReturnType<typeof createSecureContext> | undefined
  const tls = () => ({
    context: (context ??= createSecureContext({ ca: [...settings.authorities()] })),
    skipVerify: false,
  })
  return async (url, options) => {
    const target = new URL(url)
    const isSecure = target.protocol === 'https:'
    if (!isSecure && !(isPlain(settings.issuer) && isPlain(url)))
      throw new TypeError(`the provider names an address without TLS: ${url}`)
    const { status, contentType, body } = await exchange({
      ...addressOf(target),
      isSecure,
      ...(isSecure && { tls: tls() }),
      method: options.method === 'POST' ? 'POST' : 'GET',
      headers: { ...options.headers },
      ...bodyOf(options),
      proxy: proxyTo(settings.proxy, target.hostname, portOf(target)),
      limit: ANSWER_BYTES,
      signal: patience(settings.timeoutMs, options.signal ?? new AbortController().signal),
    })
    return new Response(new Uint8Array(body), { status, headers: { 'content-type': contentType } })
  }
}

/** Whether the address is on this machine and has no TLS. */
function isPlain(address: string): boolean {
  const url = new URL(address)
  return url.protocol === 'http:' && isLoopback(hostOf(url))
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

function addressOf(target: URL): Pick<HttpQuestion, 'host' | 'port' | 'path'> {
  return { host: hostOf(target), port: portOf(target), path: target.pathname + target.search }
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}

/** The library sends only forms. */
function bodyOf({ body }: Options): { readonly body?: string } {
  return body instanceof URLSearchParams || typeof body === 'string' ? { body: body.toString() } : {}
}
