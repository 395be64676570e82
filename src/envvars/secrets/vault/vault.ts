import type { SecureContext } from 'node:tls'
import { certificatesIn, systemAuthorities } from '../../../basics/net/authorities.ts'
import type { Reply } from '../../../basics/net/exchange.ts'
import { proxyTo, type ProxySettings } from '../../../basics/net/proxy.ts'
import type { Logger } from '../../../basics/logger.ts'
import { Secret } from '../../../basics/secret.ts'
import { SetUpError } from '../../../basics/set-up-error.ts'
import { type FetchSecret, type SecretStore, type StoredSecret } from '../stores.ts'
import {
  askVault,
  type KeyValueVersion,
  membersIn,
  targetOf,
  tokenIn,
  VaultError,
  type VaultRequest,
  type VaultTarget,
  type VaultWay,
} from './request.ts'
import { type Login, type LoginMethod, readVaultSettings, type VaultSettings } from './settings.ts'

export interface VaultSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly skipVerify: boolean
  /** @throws SetUpError */
  readonly findProxy: () => ProxySettings | undefined
  readonly log: Pick<Logger, 'warn'>
}

/** Fetches secrets of a key-value engine with version 1 or 2. */
export class VaultStore implements SecretStore {
  readonly name = 'vault'
  readonly #version: KeyValueVersion
  readonly #surroundings: VaultSurroundings

  constructor(version: KeyValueVersion, surroundings: VaultSurroundings) {
    this.#version = version
    this.#surroundings = surroundings
  }

  open(): FetchSecret {
    const { env, log } = this.#surroundings
    const vault = new Vault(
      readVaultSettings(env, (message) => log.warn({}, message)),
      this.#surroundings,
    )
    return (id, signal) => vault.fetch(id, this.#version, signal)
  }
}

/** One Vault. Its settings do not change after its creation. */
export class Vault {
  readonly #settings: VaultSettings
  readonly #way: VaultWay

  /** @throws SetUpError */
  constructor(settings: VaultSettings, { env, skipVerify, findProxy }: Omit<VaultSurroundings, 'log'>) {
    const proxy = findProxy()
    this.#settings = settings
    this.#way = {
      namespace: settings.namespace,
      timeoutMs: settings.timeoutMs,
      skipVerify,
      secureContext: remembered(() => contextOf(settings.authority, env)),
      proxyTo: (host, port) => proxyTo(proxy, host, port),
    }
  }

  /** Undefined if the credential is a token. */
  get method(): LoginMethod | undefined {
    const { credential } = this.#settings
    return credential.kind === 'login' ? credential.method : undefined
  }

  /**
   * Fetches a secret. As in hoop, a problem starts with the secret's id.
   * @throws the signal's reason
   */
  async fetch(id: string, version: KeyValueVersion, signal: AbortSignal): Promise<StoredSecret> {
    try {
      const target = this.#target(pathOf(id, version), 'failed creating http request')
      const reply = await this.#get(target, await this.token(signal), signal)
      return { members: membersIn(reply, version) }
    } catch (error) {
      if (!(error instanceof VaultError)) throw error
      return { problem: `(${id}) ${error.message}` }
    }
  }

  /**
   * Returns the configured token, or the token of a new login.
   * @throws VaultError, or the signal's reason
   */
  async token(signal: AbortSignal): Promise<Secret> {
    const { credential } = this.#settings
    if (credential.kind === 'token') return credential.token
    const { path, method } = credential
    const target = this.#target(`auth/${path}/login`, 'failed creating http request to obtain vault token')
    const { body, secret } = signingIn(credential.login)
    const undecoded = `failed decoding ${method === 'approle' ? 'app role' : method} login response`
    const request = { target, headers: {}, body, credential: secret, undecoded }
    return new Secret(tokenIn(await this.#ask(request, signal), undecoded))
  }

  /**
   * Checks that Vault accepts the token.
   * @throws VaultError, or the signal's reason
   */
  async lookUp(token: Secret, signal: AbortSignal): Promise<void> {
    await this.#get(this.#target('auth/token/lookup-self', 'failed creating http request'), token, signal)
  }

  #target(path: string, what: string): VaultTarget {
    return targetOf(`${this.#settings.address}/v1/${path}`, what)
  }

  #get(target: VaultTarget, token: Secret, signal: AbortSignal): Promise<Reply> {
    const headers = { 'X-Vault-Token': token.reveal() }
    const request = { target, headers, credential: token, undecoded: 'failed decoding response' }
    return this.#ask(request, signal)
  }

  /**
   * As in hoop, refuses authorities that cannot be read, also for http://. A user who sets authorities
   * expects that they have an effect.
   */
  #ask(request: VaultRequest, signal: AbortSignal): Promise<Reply> {
    if (this.#settings.authority !== '') this.#way.secureContext()
    return askVault(request, this.#way, signal)
  }
}

/** Returns the path of a secret. No character of the id is escaped. */
function pathOf(id: string, version: KeyValueVersion): string {
  const isPath = version === 1 || id.includes('/')
  return isPath ? id.replace(/^\//, '') : `secret/data/${id}`
}

/** @throws VaultError if the agent has no credential for the login */
function signingIn(login: () => Login): Login {
  try {
    return login()
  } catch (error) {
    throw error instanceof SetUpError ? new VaultError(error.message) : error
  }
}

/** @throws VaultError */
function contextOf(authority: string, env: VaultSurroundings['env']): SecureContext {
  const { createSecureContext } = process.getBuiltinModule('node:tls')
  return createSecureContext({ ca: authority === '' ? systemAuthorities(env) : ownAuthorities(authority) })
}

function ownAuthorities(text: string): string[] {
  try {
    return certificatesIn(text).map(String)
  } catch (error) {
    throw error instanceof SetUpError ? new VaultError('failed to append root CA into cert pool') : error
  }
}

function remembered<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
