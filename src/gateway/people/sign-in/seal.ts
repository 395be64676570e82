import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import * as v from 'valibot'

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16
/** Of seals that were opened: so many sign-ins within the time of a seal. */
const MOST_OPENED = 10_000

const Envelope = v.object({ id: v.string(), endsAt: v.number(), content: v.unknown() })

/**
 * What a browser carries from one step of a sign-in to the next: only this process can read or make it, it opens once,
 * and not after its time. Nothing is kept of those that are not opened, so that nobody can fill the memory with them.
 */
export class Seal {
  readonly #key = randomBytes(32)
  readonly #lifetimeMs: number
  /** By its id, when it ends. */
  readonly #opened = new Map<string, number>()

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

  /** Undefined for what is not ours, too old, or was opened before. */
  open<T>(text: string, shape: v.GenericSchema<unknown, T>): T | undefined {
    const { success, output } = v.safeParse(Envelope, this.#decrypted(text))
    if (!success || output.endsAt <= performance.now() || !this.#isFirst(output)) return undefined
    return v.parse(shape, output.content)
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

  #isFirst({ id, endsAt }: { readonly id: string; readonly endsAt: number }): boolean {
    const now = performance.now()
    for (const [one, end] of this.#opened) if (end <= now) this.#opened.delete(one)
    if (this.#opened.has(id) || this.#opened.size >= MOST_OPENED) return false
    this.#opened.set(id, endsAt)
    return true
  }
}
