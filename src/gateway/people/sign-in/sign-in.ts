import { createHash, randomBytes, createCipheriv, createDecipheriv, randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { RepeatedWarnings } from '../../../basics/logger.ts'
import type { OidcSettings } from '../../settings/oidc.ts'
import type { Current } from '../../settings/settings.ts'
import { callerNetwork } from '../identities/sign-in-attempts.ts'
import type { IssuedToken } from '../identities/tokens.ts'
import { Accounts, originOf, type AccountServices, admitted, type Admitted } from './accounts.ts'
import { DEVICE_MS, DeviceRequests, type DeviceRequest, type NewDeviceRequest } from './device-requests.ts'
import { Handovers } from './one-time-codes.ts'
import { OidcProvider } from './provider.ts'
import { signInRefused, SignInRefused } from '../../refusals/request-refused.ts'

/** Time until the browser returns from the provider. */
export const SIGN_IN_MS = 10 * 60 * 1000
/** Parallel requests to the provider, for all callers and for one address. */
const MAX_REQUESTS = 256
const MAX_REQUESTS_PER_ADDRESS = 16

const PurposeShape = v.variant('kind', [
  v.object({
    kind: v.literal('client'),
    /** Address to which the browser is sent at the end. It is a port of the user's own machine. */
    redirect: v.string(),
    /** If undefined, the address `redirect` gets the token itself, as hoop's command line expects. */
    challenge: v.optional(v.string()),
  }),
  v.object({ kind: v.literal('device'), code: v.string() }),
  /** `browser` is a hash of the value in the browser's cookie. */
  v.object({ kind: v.literal('page'), browser: v.string() }),
])
type Purpose = v.InferOutput<typeof PurposeShape>
type ClientPurpose = Extract<Purpose, { kind: 'client' }>

const BegunShape = v.object({ purpose: PurposeShape, nonce: v.string(), verifier: v.string() })
const AdmittedShape = v.object({
  issuer: v.string(),
  subject: v.string(),
  name: v.string(),
  groups: v.array(v.string()),
})
const ConfirmationShape = v.object({ code: v.string(), admitted: AdmittedShape })

interface SignInServices extends AccountServices {
  readonly settings: Current<'users' | 'signIn'>
  readonly webUrl: () => string
}

/** The outcome after the browser's return. */
export type Returned =
  | {
      readonly kind: 'redirect'
      readonly to: string
      /** The user who has signed in; missing after a refusal. */
      readonly name?: string
      readonly refusal?: string
    }
  | {
      readonly kind: 'confirm'
      readonly admitted: Admitted
      readonly request: DeviceRequest
      /** Proves that the decision comes from this user. */
      readonly confirmation: string
    }
  | {
      readonly kind: 'page'
      /** The token for this browser's cookie. */
      readonly issued: IssuedToken
      readonly lifetimeMs: number
    }

/**
 * Signs users in by the provider. The browser may run on the command line's machine or on any other machine.
 */
export class SignIn {
  readonly #services: SignInServices
  readonly #accounts: Accounts
  readonly #states = new Seal(SIGN_IN_MS)
  readonly #confirmations = new Seal(DEVICE_MS)
  readonly #devices = new DeviceRequests<Admitted>()
  readonly #handovers = new Handovers<Admitted>()
  #provider: { readonly of: OidcSettings; readonly provider: OidcProvider } | undefined
  readonly #warnings: RepeatedWarnings
  /** Open requests to the provider, by address. */
  readonly #asking = new Map<string, number>()

  constructor(services: SignInServices) {
    this.#services = services
    this.#warnings = new RepeatedWarnings(services.log)
    this.#accounts = new Accounts(services)
  }

  get isOffered(): boolean {
    return this.#services.settings.value.signIn?.oidc !== undefined
  }

  /** Returns the address to open in a browser. @throws SignInRefused */
  async begin(purpose: Purpose): Promise<string> {
    const [nonce, verifier] = [randomText(), randomText()]
    const state = this.#states.close({ purpose, nonce, verifier })
    const proof = { state, nonce, verifier }
    // This request needs no limit: all waiting callers share one request for the provider's configuration.
    return this.#currentProvider().address(this.#callback, proof)
  }

  /**
   * @param query query of the address to which the provider has sent the browser
   * @param browser value of the browser's cookie
   * @param from address of the browser
   * @throws SignInRefused
   */
  async end(query: string, browser: string | undefined, from: string): Promise<Returned> {
    const answer = new URL(`${this.#callback}?${query}`)
    const state = answer.searchParams.get('state') ?? ''
    const begun = this.#states.open(state, BegunShape)
    if (begun === undefined) throw notKnown()
    const { purpose, nonce, verifier } = begun.content
    if (purpose.kind === 'page' && purpose.browser !== browserHash(browser)) throw otherBrowser()
    try {
      const proof = { state, nonce, verifier }
      const claims = await this.#atOnce(from, (provider) => provider.claims(answer, proof))
      const who = admitted(claims, this.#settings)
      if (!begun.use()) throw notKnown()
      return this.#returned(purpose, who)
    } catch (error) {
      if (!(error instanceof SignInRefused) || purpose.kind !== 'client') throw error
      return { ...redirect(purpose, { error: error.message }), refusal: error.message }
    }
  }

  /** @throws SignInRefused */
  takeHandover(code: string, verifier: string): IssuedToken {
    return this.#issue(this.#handovers.take(code, verifier), 'browser')
  }

  /** @throws SignInRefused */
  addDevice(from: string, says: string): NewDeviceRequest {
    if (!this.isOffered) throw notOffered()
    return this.#devices.add(from, says)
  }

  /** @throws SignInRefused */
  deviceWithCode(code: string, from: string): DeviceRequest {
    return this.#devices.withCode(code, from)
  }

  /** Undefined while the request waits. @throws SignInRefused */
  deviceOutcome(secret: string): IssuedToken | undefined {
    const granted = this.#devices.outcome(secret)
    return granted && this.#issue(granted, 'device')
  }

  /** @returns the user who has decided @throws SignInRefused */
  decideDevice(confirmation: string, isAllowed: boolean): string {
    const confirmed = this.#confirmations.open(confirmation, ConfirmationShape)
    if (confirmed?.use() !== true) throw notKnown()
    const { code, admitted: granted } = confirmed.content
    this.#devices.decide(code, isAllowed ? { granted } : 'refused')
    this.#services.log.info({ user: granted.name, isAllowed }, 'sign-in of a device decided')
    return granted.name
  }

  get #callback(): string {
    return `${this.#services.webUrl()}/api/callback`
  }

  get #settings(): OidcSettings {
    const settings = this.#services.settings.value.signIn?.oidc
    if (settings === undefined) throw notOffered()
    return settings
  }

  #returned(purpose: Purpose, who: Admitted): Returned {
    if (purpose.kind === 'device') return this.#toConfirm(purpose.code, who)
    if (purpose.kind === 'page') return this.#toPage(who)
    const { challenge } = purpose
    return challenge === undefined
      ? { ...redirect(purpose, { token: this.#issue(who, 'browser').text }), name: who.name }
      : { ...redirect(purpose, { code: this.#handovers.add(who, originOf(who), challenge) }), name: who.name }
  }

  #toConfirm(code: string, who: Admitted): Returned {
    const request = this.#devices.withKnownCode(code)
    const confirmation = this.#confirmations.close({ code, admitted: who })
    return { kind: 'confirm', admitted: who, request, confirmation }
  }

  #toPage(who: Admitted): Returned {
    const { lifetimeMs } = this.#settings
    return { kind: 'page', issued: this.#accounts.signInOnPage(who, lifetimeMs), lifetimeMs }
  }

  #issue(who: Admitted, client: string): IssuedToken {
    return this.#accounts.signIn(who, client, this.#settings.lifetimeMs)
  }

  /**
   * Limits the open requests of each address: any caller can start one, and a slow provider keeps it open.
   */
  async #atOnce<T>(from: string, ask: (provider: OidcProvider) => Promise<T>): Promise<T> {
    const provider = this.#currentProvider()
    const network = callerNetwork(from)
    const own = this.#asking.get(network) ?? 0
    const all = [...this.#asking.values()].reduce((sum, count) => sum + count, 0)
    if (own >= MAX_REQUESTS_PER_ADDRESS || all >= MAX_REQUESTS)
      throw signInRefused('too-much-at-once/sign-ins')
    this.#asking.set(network, own + 1)
    try {
      return await ask(provider)
    } finally {
      const left = (this.#asking.get(network) ?? 1) - 1
      if (left > 0) this.#asking.set(network, left)
      else this.#asking.delete(network)
    }
  }

  /** Makes the provider again after a change of the settings. */
  #currentProvider(): OidcProvider {
    const settings = this.#settings
    if (this.#provider?.of !== settings)
      this.#provider = { of: settings, provider: new OidcProvider(settings, this.#warnings) }
    return this.#provider.provider
  }
}

function notKnown(): SignInRefused {
  return signInRefused('sign-in-expired/unknown')
}

/**
 * Without this refusal, an attacker could begin a sign-in and let a victim's browser end it. The victim would
 * be signed in as the attacker.
 */
function otherBrowser(): SignInRefused {
  return signInRefused('sign-in-expired/other-browser')
}

/** Only the hash of the browser's secret is sent to the provider. */
export function browserHash(text: string | undefined): string | undefined {
  return text === undefined ? undefined : createHash('sha256').update(text).digest('base64url')
}

function notOffered(): SignInRefused {
  return signInRefused('not-permitted/no-provider')
}

function redirect({ redirect: to }: ClientPurpose, outcome: Readonly<Record<string, string>>) {
  const url = new URL(to)
  for (const [name, value] of Object.entries(outcome)) url.searchParams.set(name, value)
  return { kind: 'redirect', to: url.href } as const
}

function randomText(): string {
  return randomBytes(32).toString('base64url')
}

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16
/**
 * Used seals to remember. Above this number, the oldest seal is forgotten. This does no harm, because the
 * provider accepts its code only once.
 */
const MAX_USED_STATES = 10_000

const Envelope = v.object({ id: v.string(), endsAt: v.number(), content: v.unknown() })

interface Unsealed<T> {
  readonly content: T
  /** @returns false if the seal was used after it was opened */
  readonly use: () => boolean
}

/**
 * Text that a browser carries to the next step of a sign-in. Only this process can make or read a seal. A
 * seal opens only within its lifetime and before its use. Use a seal only after the provider has named the
 * account: used seals are stored, and strangers must not fill the memory or block the sign-ins of others.
 */
export class Seal {
  readonly #key = randomBytes(32)
  readonly #lifetimeMs: number
  /** Expiry of used seals, by id. */
  readonly #used = new Map<string, number>()

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs
  }

  close(content: object): string {
    const envelope = { id: randomUUID(), endsAt: performance.now() + this.#lifetimeMs, content }
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, this.#key, iv)
    const sealed = [cipher.update(JSON.stringify(envelope), 'utf8'), cipher.final()]
    return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64url')
  }

  /** Returns undefined if the seal was not made here, is too old, or was used. */
  open<T>(text: string, shape: v.GenericSchema<unknown, T>): Unsealed<T> | undefined {
    const { success, output } = v.safeParse(Envelope, this.#decrypted(text))
    if (!success || output.endsAt <= performance.now() || this.#used.has(output.id)) return undefined
    return { content: v.parse(shape, output.content), use: () => this.#use(output) }
  }

  #decrypted(text: string): unknown {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, IV_BYTES))
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      const opened = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]
      return JSON.parse(Buffer.concat(opened).toString('utf8'))
    } catch {
      return undefined
    }
  }

  #use({ id, endsAt }: { readonly id: string; readonly endsAt: number }): boolean {
    const now = performance.now()
    for (const [one, end] of this.#used) if (end <= now) this.#used.delete(one)
    if (this.#used.has(id)) return false
    const [oldest] = this.#used.size < MAX_USED_STATES ? [] : this.#used.keys()
    if (oldest !== undefined) this.#used.delete(oldest)
    this.#used.set(id, endsAt)
    return true
  }
}
