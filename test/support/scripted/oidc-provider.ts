import { createHash, createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { Authority } from '../network/certificates.ts'
import { json, ScriptedRest, type Received, type Script } from './scripted-rest.ts'

type Content = Record<string, unknown>

const CLIENT_ID = 'gateway-of-a-test'
const CLIENT_SECRET = 'the-secret-of-the-client-0123456789'

/** What stands behind a code that a browser carries. */
interface Grant {
  readonly nonce: string
  readonly challenge: string
  readonly redirectUri: string
}

const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 })

/**
 * An OpenID Connect provider at which everybody signs in at once: discovery, keys, code with PKCE, token, userinfo. A
 * test says who it is, and what is wrong with its tokens.
 */
export class OidcServer implements AsyncDisposable {
  readonly rest: ScriptedRest
  /** Of who signs in next. */
  claims: Content = { sub: 'ada-1', email: 'ada@example.test', email_verified: true, groups: ['dba'] }
  /** Beside them, for who asks. */
  userInfo: Content = {}
  /** Changes the next id tokens. */
  forge: (claims: Content) => Content = (claims) => claims
  /** No token is given before it settles. */
  tokensFrom: Promise<void> = Promise.resolve()
  /** `none` leaves the signature out, `other` signs with a key that is not published. */
  signature: 'right' | 'none' | 'other' = 'right'
  readonly #keys = newKey()
  readonly #grants = new Map<string, Grant>()

  readonly #authority: Authority

  static async start({ isPlain = false } = {}): Promise<OidcServer> {
    const authority = new Authority('of the provider')
    const certificate = isPlain ? undefined : authority.issue({ names: ['127.0.0.1'] })
    return new OidcServer(await ScriptedRest.start(certificate), authority)
  }

  private constructor(rest: ScriptedRest, authority: Authority) {
    this.rest = rest
    this.#authority = authority
    rest.on('GET /.well-known/openid-configuration', (...args) => this.#metadata()(...args))
    rest.on('GET /keys', (...args) =>
      json(200, { keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256' }] })(
        ...args,
      ),
    )
    rest.on('POST /token', (received, response) => {
      void this.tokensFrom.then(() => this.#token(received)(received, response))
    })
    rest.on('GET /userinfo', (...args) => json(200, { sub: this.claims['sub'], ...this.userInfo })(...args))
  }

  get issuer(): string {
    return this.rest.url
  }

  /** `sign-in` of gateway.yaml. @param more settings of the provider, in YAML */
  settings(more = 'everybody: true'): string {
    const ca = JSON.stringify(this.#authority.certificate)
    return `sign-in: { oidc: { issuer: '${this.issuer}', client-id: ${CLIENT_ID}, client-secret: ${CLIENT_SECRET}, ca: ${ca}, ${more} } }`
  }

  /** What a browser does there. @param address to which it was sent @returns the one to which it is sent back */
  authorize(address: string): string {
    const asked = new URL(address)
    if (asked.origin + asked.pathname !== `${this.issuer}/authorize`) throw new Error(`not here: ${address}`)
    return this.#authorized(asked.searchParams)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest[Symbol.asyncDispose]()
  }

  #metadata(): Script {
    const { issuer } = this
    return json(200, {
      ...{ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
      ...{ jwks_uri: `${issuer}/keys`, userinfo_endpoint: `${issuer}/userinfo` },
      ...{ response_types_supported: ['code'], subject_types_supported: ['public'] },
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    })
  }

  #authorized(asked: URLSearchParams): string {
    const code = randomBytes(16).toString('hex')
    const word = (name: string) => asked.get(name) ?? ''
    this.#grants.set(code, {
      ...{ nonce: word('nonce'), challenge: word('code_challenge'), redirectUri: word('redirect_uri') },
    })
    return `${word('redirect_uri')}?${new URLSearchParams({ code, state: word('state') }).toString()}`
  }

  #token({ body }: Received): Script {
    const form = new URLSearchParams(String(body))
    const isClient = form.get('client_id') === CLIENT_ID && form.get('client_secret') === CLIENT_SECRET
    if (!isClient) return json(401, { error: 'invalid_client' })
    const code = form.get('code') ?? ''
    const grant = this.#grants.get(code)
    this.#grants.delete(code)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isRight = grant?.challenge === challenge && grant.redirectUri === form.get('redirect_uri')
    if (!isRight) return json(400, { error: 'invalid_grant' })
    return json(200, {
      ...{ access_token: 'access', token_type: 'Bearer', expires_in: 60 },
      id_token: this.#idToken(grant.nonce),
    })
  }

  #idToken(nonce: string): string {
    const now = Math.floor(Date.now() / 1000)
    const usual = { iss: this.issuer, aud: CLIENT_ID, iat: now, exp: now + 60, nonce, ...this.claims }
    const alg = this.signature === 'none' ? 'none' : 'RS256'
    const parts = [{ alg, kid: 'k', typ: 'JWT' }, this.forge(usual)]
    const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${signed}.${alg === 'none' ? '' : sign(signed, this.signature === 'other' ? newKey().privateKey : this.#keys.privateKey)}`
  }
}

function sign(text: string, key: KeyObject): string {
  return createSign('RSA-SHA256').update(text).sign(key).toString('base64url')
}
