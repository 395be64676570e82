import { Random } from './random.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const LENGTH = 32
/** So much of a secret may stand nowhere. */
const WINDOW = 8
/** Of base64: these characters hold eight whole ones, wherever they begin. */
const ENCODED_WINDOW = 12

/** All of which secrets and base64 are made. */
const RUNS = /[A-Za-z0-9+/]{8,}/g

/** The secrets of a site: each is known by any eight characters of it, as they are or in base64. */
export class Secrets {
  readonly #random: Random
  readonly #windows = new Map<string, string>()

  constructor(seed: number) {
    this.#random = new Random(seed, 0x5ec7e7)
  }

  /** @returns a new one; the name is for messages */
  make(name: string): string {
    const secret = Array.from({ length: LENGTH }, () =>
      LETTERS.charAt(this.#random.between(0, LETTERS.length - 1)),
    ).join('')
    for (const window of windowsOf(secret, WINDOW)) this.#windows.set(window, name)
    for (let skipped = 0; skipped < 3; skipped++) {
      const encoded = Buffer.from(secret.slice(skipped)).toString('base64').replace(/=+$/, '')
      for (const window of windowsOf(encoded, ENCODED_WINDOW)) this.#windows.set(window, `${name} in base64`)
    }
    return secret
  }

  /** Which secret a text holds eight characters of, and what stands before it. */
  foundIn(text: string): string | undefined {
    for (const { 0: run, index } of text.matchAll(RUNS))
      for (let at = 0; at <= run.length - WINDOW; at++) {
        const name =
          this.#windows.get(run.slice(at, at + WINDOW)) ??
          this.#windows.get(run.slice(at, at + ENCODED_WINDOW))
        if (name !== undefined)
          return `${name}, behind ${JSON.stringify(text.slice(0, index + at).slice(-80))}`
      }
    return undefined
  }
}

function windowsOf(text: string, length: number): string[] {
  return Array.from({ length: text.length - length + 1 }, (_, at) => text.slice(at, at + length))
}
