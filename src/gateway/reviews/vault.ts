import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { claimFile } from '../../basics/files/private-path.ts'
import { HistoryError } from '../store/errors.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What was sealed; or why it cannot be read: the key is gone or another one, or somebody has changed it. */
type Unsealed =
  { readonly plain: Buffer; readonly broken?: never } | { readonly broken: string; readonly plain?: never }

/** Seals requests that wait, secrets and all, with a key that lies beside the history in a file of its own (0600). */
export class RequestVault {
  readonly #path: string
  #key: Buffer | undefined

  /** The key is made with the first request. */
  constructor(path: string) {
    this.#path = path
  }

  /** @param purpose what it is for; another one does not open it @throws HistoryError, ForeignPathError */
  seal(plain: Buffer, purpose: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, this.#keyOrNew(), nonce).setAAD(Buffer.from(purpose))
    const sealed = [cipher.update(plain), cipher.final()]
    return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed])
  }

  /** @throws HistoryError, ForeignPathError */
  unseal(sealed: Buffer, purpose: string): Unsealed {
    const key = this.#keyThere()
    if (key === undefined) return { broken: `its key ${this.#path} is gone` }
    try {
      const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const content = sealed.subarray(NONCE_BYTES + TAG_BYTES)
      return { plain: Buffer.concat([decipher.update(content), decipher.final()]) }
    } catch {
      return { broken: `it was not sealed with the key in ${this.#path}` }
    }
  }

  /** A hash of a text that could be guessed from a plain one, in hex. */
  digest(text: Buffer): string {
    return createHmac('sha256', this.#keyOrNew()).update('script ').update(text).digest('hex')
  }

  #keyOrNew(): Buffer {
    return (this.#key = this.#keyThere() ?? this.#newKey())
  }

  #keyThere(): Buffer | undefined {
    if (this.#key !== undefined) return this.#key
    if (!claimFile(this.#path)) return undefined
    const key = this.#trying('read', () => readFileSync(this.#path))
    if (key.length !== KEY_BYTES)
      throw new HistoryError(
        `reviews: ${this.#path} is no key of ${KEY_BYTES} bytes; restore it or remove it`,
      )
    return (this.#key = key)
  }

  /** Through to the disk before anything is sealed with it: without it what waits is lost. */
  #newKey(): Buffer {
    const key = randomBytes(KEY_BYTES)
    this.#trying('write', () => {
      const fresh = `${this.#path}.new`
      writeDurably(fresh, key)
      renameSync(fresh, this.#path)
      syncFolder(dirname(this.#path))
    })
    return key
  }

  #trying<T>(what: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new HistoryError(`reviews: cannot ${what} the key ${this.#path}: ${reason}`, { cause: error })
    }
  }
}

/** What a gateway that was killed has left there is overwritten. */
function writeDurably(path: string, bytes: Buffer): void {
  claimFile(path)
  const file = openSync(path, 'w', 0o600)
  try {
    writeSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
