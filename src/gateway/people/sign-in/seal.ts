import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import * as v from 'valibot'

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16
/** Bound of seals remembered as used; the oldest is forgotten. The provider's code is good once anyway. */
const MOST_USED = 10_000

const Envelope = v.object({ id: v.string(), endsAt: v.number(), content: v.unknown() })

/** What was in a seal. */
export interface Unsealed<T> {
  readonly content: T
  /** Uses the seal up: it does not open again. @returns false when it was used meanwhile */
  readonly use: () => boolean
}

/**
 * Text that a browser carries from one step of a sign-in to the next: only this process can read or make it, and it
 * does not open after its time, nor after its use. Only used seals are stored, so use a seal only after the provider
 * has named the account: then strangers can neither fill the memory nor keep others from signing in.
 */
export class Seal {
  readonly #key = randomBytes(32)
  readonly #lifetimeMs: number
  /** By its id, when it ends. */
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

  /** Opens a seal. Undefined when it is not ours, too old, or was used before. */
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
    const [oldest] = this.#used.size < MOST_USED ? [] : this.#used.keys()
    if (oldest !== undefined) this.#used.delete(oldest)
    this.#used.set(id, endsAt)
    return true
  }
}
