import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { claimFile } from '../../basics/files/private-path.ts'
import { HistoryError } from '../store/errors.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * `broken` says why the request cannot be read: the key is missing or different, or the sealed bytes have
 * changed.
 */
type Unsealed =
  { readonly plain: Buffer; readonly broken?: never } | { readonly broken: string; readonly plain?: never }

/** Encrypts waiting requests with their secrets. The key is in its own file (0600) beside the history. */
export class RequestVault {
  readonly #path: string
  #key: Buffer | undefined

  /** The first request creates the key. */
  constructor(path: string) {
    this.#path = path
  }

  /** @param purpose unsealing needs the same purpose @throws HistoryError, ForeignPathError */
  seal(plain: Buffer, purpose: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, this.#keyOrNew(), nonce).setAAD(Buffer.from(purpose))
    const sealed = [cipher.update(plain), cipher.final()]
    return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed])
  }

  /** @throws HistoryError, ForeignPathError */
  unseal(sealed: Buffer, purpose: string): Unsealed {
    const key = this.#keyThere()
    if (key === undefined) return { broken: `the key ${this.#path} is missing` }
    try {
      const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const content = sealed.subarray(NONCE_BYTES + TAG_BYTES)
      return { plain: Buffer.concat([decipher.update(content), decipher.final()]) }
    } catch {
      return { broken: `the request was not sealed with the key in ${this.#path}` }
    }
  }

  /** Returns a keyed hash, because a text could be guessed from a plain hash. */
  digest(text: Buffer, purpose: 'script' | 'first' | 'mcp' = 'script'): string {
    return createHmac('sha256', this.#keyOrNew()).update(`${purpose} `).update(text).digest('hex')
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
        `reviews: ${this.#path} is not a key of ${KEY_BYTES} bytes; restore or remove the file`,
      )
    return (this.#key = key)
  }

  /**
   * Makes a key. The key is synced to the disk before its first use, because without it all waiting requests
   * are lost.
   */
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

/** Writes and syncs a file. Overwrites a file that a killed gateway has left. */
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
