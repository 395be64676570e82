import { randomBytes, randomInt } from 'node:crypto'
import { callerNetwork, SignInAttempts } from '../identities/sign-in-attempts.ts'
import { signInRefused, type SignInRefused } from '../../refusals/request-refused.ts'

/** A sign-in request of a command line without a browser. */
export interface DeviceRequest {
  /** Code that users compare and type. */
  readonly code: string
  /** Address of the sender. */
  readonly from: string
  /** The command line's description of itself, not verified. */
  readonly says: string
  /** Time in ms since 1970. */
  readonly askedAt: number
}

/** A request with its secret. The command line sends the secret to ask for the outcome. */
export interface NewDeviceRequest extends DeviceRequest {
  readonly secret: string
}

export const DEVICE_MS = 10 * 60 * 1000
/** Time between two polls for the same request. */
export const POLL_MS = 2000
const MAX_REQUESTS = 1000
const MAX_REQUESTS_PER_ADDRESS = 20
/**
 * Wrong codes that one address may send in a minute. In a year, an address can try five million of some 25
 * billion codes.
 */
const MAX_WRONG_CODES = 10
/** People do not confuse these letters with others, and the letters form no words (RFC 8628). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE_LETTERS = 8

interface Waiting<Granted> extends NewDeviceRequest {
  readonly endsAt: number
  askAgainAt: number
  decision: { readonly granted: Granted } | 'refused' | undefined
}

/**
 * Sign-in requests of command lines. A user decides a request in a browser on another machine. A request ends
 * after ten minutes. It is decided once, and its outcome is returned once. When there are too many requests,
 * the address with the most requests loses its oldest one. An attacker therefore needs some 1000 addresses to
 * remove another caller's request.
 */
export class DeviceRequests<Granted> {
  readonly #bySecret = new Map<string, Waiting<Granted>>()
  readonly #guesses = new SignInAttempts({ most: () => MAX_WRONG_CODES, told: () => undefined })

  /** @throws SignInRefused when too many requests of this address wait */
  add(from: string, says: string): NewDeviceRequest {
    this.#forgetOld()
    const own = this.#byAddress().get(callerNetwork(from)) ?? []
    if (own.length >= MAX_REQUESTS_PER_ADDRESS) throw signInRefused('too-much-at-once/waiting-sign-ins')
    if (this.#bySecret.size >= MAX_REQUESTS) this.#makeRoom()
    const secret = randomBytes(32).toString('base64url')
    const request = { code: this.#freeCode(), from, says, askedAt: Date.now(), secret }
    const endsAt = performance.now() + DEVICE_MS
    this.#bySecret.set(secret, { ...request, endsAt, askAgainAt: 0, decision: undefined })
    return request
  }

  /** @param code as users type it @param by address of the caller @throws SignInRefused */
  withCode(code: string, by: string): DeviceRequest {
    // This check comes before the look-up, so that a caller who has guessed too often learns nothing more.
    if (this.#guesses.holdsUp(by, '')) throw signInRefused('too-much-at-once/sign-in-codes')
    const typed = code.toUpperCase().replaceAll(/[^A-Z]/g, '')
    const found = this.#waiting((one) => one.code.replace('-', '') === typed)
    if (found !== undefined) return found
    this.#guesses.refused(by)
    throw noSuchCode()
  }

  /**
   * Finds the request of a code that was checked before.
   * @throws SignInRefused when the request no longer waits
   */
  withKnownCode(code: string): DeviceRequest {
    const found = this.#waiting((one) => one.code === code)
    if (found === undefined) throw noSuchCode()
    return found
  }

  /** @throws SignInRefused when the request no longer waits */
  decide(code: string, decision: { readonly granted: Granted } | 'refused'): void {
    const found = this.#waiting((one) => one.code === code)
    if (found === undefined) throw signInRefused('sign-in-expired/decided-code')
    found.decision = decision
  }

  /**
   * Returns the grant once, and undefined while the request waits.
   * @throws SignInRefused when the request was refused or has expired
   */
  outcome(secret: string): Granted | undefined {
    this.#forgetOld()
    const found = this.#bySecret.get(secret)
    if (found === undefined) throw signInRefused('sign-in-expired/ended')
    const now = performance.now()
    if (now < found.askAgainAt) throw signInRefused('too-much-at-once/sign-in-polls')
    found.askAgainAt = now + POLL_MS / 2
    if (found.decision === undefined) return undefined
    this.#bySecret.delete(secret)
    if (found.decision !== 'refused') return found.decision.granted
    throw signInRefused('sign-in-refused/in-browser')
  }

  #waiting(is: (one: Waiting<Granted>) => boolean): Waiting<Granted> | undefined {
    this.#forgetOld()
    return [...this.#bySecret.values()].find((one) => one.decision === undefined && is(one))
  }

  #freeCode(): string {
    for (;;) {
      const letters = Array.from({ length: CODE_LETTERS }, () => LETTERS[randomInt(LETTERS.length)] ?? '')
      const code = `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`
      if (this.#waiting((one) => one.code === code) === undefined) return code
    }
  }

  #byAddress(): Map<string, NewDeviceRequest[]> {
    const byAddress = new Map<string, NewDeviceRequest[]>()
    for (const one of this.#bySecret.values()) {
      const network = callerNetwork(one.from)
      byAddress.set(network, [...(byAddress.get(network) ?? []), one])
    }
    return byAddress
  }

  #makeRoom(): void {
    const [[oldest] = []] = [...this.#byAddress().values()].toSorted((a, b) => b.length - a.length)
    if (oldest !== undefined) this.#bySecret.delete(oldest.secret)
  }

  #forgetOld(): void {
    const now = performance.now()
    for (const [secret, { endsAt }] of this.#bySecret) if (endsAt <= now) this.#bySecret.delete(secret)
  }
}

function noSuchCode(): SignInRefused {
  return signInRefused('sign-in-expired/code')
}
