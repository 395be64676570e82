import { randomBytes, randomInt } from 'node:crypto'
import { SignInRefused } from './refused.ts'

/** What a command line without a browser asks for. */
export interface DeviceRequest {
  /** What people compare and type. */
  readonly code: string
  /** The address it came from. */
  readonly from: string
  /** What it says of itself: anybody can say anything. */
  readonly says: string
  /** In ms since 1970. */
  readonly askedAt: number
}

/** A request, and the secret by which its command line asks what has become of it. */
export interface NewDeviceRequest extends DeviceRequest {
  readonly secret: string
}

export const DEVICE_MS = 10 * 60 * 1000
/** Between two questions for the same request. */
export const POLL_MS = 2000
const MOST = 1000
const MOST_OF_ADDRESS = 20
/** Wrong codes in a minute, of all callers together: with fewer nobody finds one of the some ten billion. */
const MOST_WRONG = 100
const MINUTE_MS = 60_000
/** Letters that no other looks like, and that make no words (RFC 8628). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE_LETTERS = 8

interface Waiting<Granted> extends NewDeviceRequest {
  readonly endsAt: number
  askAgainAt: number
  decision: { readonly granted: Granted } | 'refused' | undefined
}

/** Requests of command lines that wait for a person in a browser elsewhere: for ten minutes, decided once, told once. */
export class DeviceRequests<Granted> {
  readonly #bySecret = new Map<string, Waiting<Granted>>()
  #wrong = { count: 0, since: 0 }

  /** @throws SignInRefused when too many wait */
  add(from: string, says: string): NewDeviceRequest {
    this.#forgetOld()
    const ofAddress = [...this.#bySecret.values()].filter((one) => one.from === from).length
    if (this.#bySecret.size >= MOST || ofAddress >= MOST_OF_ADDRESS)
      throw new SignInRefused('too-much-at-once', 'too many sign-ins wait already: try again in some minutes')
    const secret = randomBytes(32).toString('base64url')
    const request = { code: this.#freeCode(), from, says, askedAt: Date.now(), secret }
    const endsAt = performance.now() + DEVICE_MS
    this.#bySecret.set(secret, { ...request, endsAt, askAgainAt: 0, decision: undefined })
    return request
  }

  /** One that waits. @param code as people type it @throws SignInRefused when there is none */
  withCode(code: string): DeviceRequest {
    this.#forgetOld()
    this.#checkGuesses()
    const typed = code.toUpperCase().replaceAll(/[^A-Z]/g, '')
    const found = this.#find((one) => one.code.replace('-', '') === typed)
    if (found !== undefined) return found
    this.#wrong.count++
    throw new SignInRefused(
      'sign-in-expired',
      'there is no such code, or its ten minutes are over: begin again',
    )
  }

  /** @throws SignInRefused when it does not wait any more */
  decide(code: string, decision: { readonly granted: Granted } | 'refused'): void {
    this.#forgetOld()
    const found = this.#find((one) => one.code === code)
    if (found === undefined)
      throw new SignInRefused('sign-in-expired', 'the ten minutes are over: begin again')
    found.decision = decision
  }

  /** What was granted, once; undefined while it waits. @throws SignInRefused when it was refused, or is over */
  outcome(secret: string): Granted | undefined {
    this.#forgetOld()
    const found = this.#bySecret.get(secret)
    if (found === undefined) throw new SignInRefused('sign-in-expired', 'the sign-in is over: begin again')
    const now = performance.now()
    if (now < found.askAgainAt) throw new SignInRefused('too-much-at-once', 'slower: ask every few seconds')
    found.askAgainAt = now + POLL_MS / 2
    if (found.decision === undefined) return undefined
    this.#bySecret.delete(secret)
    if (found.decision !== 'refused') return found.decision.granted
    throw new SignInRefused('sign-in-refused', 'the sign-in was refused in the browser')
  }

  #find(is: (one: Waiting<Granted>) => boolean): Waiting<Granted> | undefined {
    return [...this.#bySecret.values()].find((one) => one.decision === undefined && is(one))
  }

  #freeCode(): string {
    for (;;) {
      const letters = Array.from({ length: CODE_LETTERS }, () => LETTERS[randomInt(LETTERS.length)] ?? '')
      const code = `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`
      if (this.#find((one) => one.code === code) === undefined) return code
    }
  }

  #checkGuesses(): void {
    const now = performance.now()
    if (now - this.#wrong.since >= MINUTE_MS) this.#wrong = { count: 0, since: now }
    if (this.#wrong.count < MOST_WRONG) return
    throw new SignInRefused('too-much-at-once', 'too many wrong codes: try again in a minute')
  }

  #forgetOld(): void {
    const now = performance.now()
    for (const [secret, { endsAt }] of this.#bySecret) if (endsAt <= now) this.#bySecret.delete(secret)
  }
}
