import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, readdirSync, rmSync } from 'node:fs'
import { copyFile, mkdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { refused } from '../refusals/request-refused.ts'
import { NEWEST_VERSION } from '../rooms.ts'
import { copyHistory } from '../store/copy.ts'
import { pack, HISTORY_FILE, manifestOf, REVIEWS_KEY, type Manifest, type Part } from './backup-format.ts'

/** Name of the folder that has the parts of a backup until they are sent. */
const FOLDER = /^\.backup-[0-9a-f]{16}$/

interface Backup {
  readonly manifest: Manifest
  readonly bytes: Readable
  /** Frees the disk space. Ends `bytes` if it has not ended. */
  readonly discard: () => Promise<void>
}

/**
 * Makes one backup at a time. Until a backup is sent, its copy takes as much space in the state folder as the
 * content of the history.
 */
export class Backups {
  readonly #state: string
  readonly #program: string
  readonly #onError: (error: Error) => void
  #current: Backup | undefined
  #isBusy = false
  /** The current copy, or its removal. */
  #work: Promise<unknown> = Promise.resolve()

  /**
   * Removes copies that a killed gateway has left. If a copy cannot be removed, calls `onError`, and the next
   * start tries again.
   */
  constructor(state: string, program: string, onError: (error: Error) => void) {
    this.#state = state
    this.#program = program
    this.#onError = onError
    for (const name of readdirSync(state)) if (FOLDER.test(name)) this.#sweep(path.join(state, name))
  }

  /**
   * Makes a backup. The caller has to discard it.
   * @param withKey true if the backup should contain the key of requests that wait for approval
   * @throws RequestRefused if another backup is not discarded yet, HistoryError
   */
  async make({ withKey }: { readonly withKey: boolean }): Promise<Backup> {
    if (this.#isBusy) throw refused('too-much-at-once/backup')
    this.#isBusy = true
    await this.#work
    const made = this.#make(withKey)
    this.#work = made.catch(() => undefined)
    return made
  }

  /** Settles when nothing uses the state folder. */
  async close(): Promise<void> {
    await this.#work
    await this.#current?.discard()
    this.#isBusy = true
  }

  async #make(withKey: boolean): Promise<Backup> {
    const folder = path.join(this.#state, `.backup-${randomBytes(8).toString('hex')}`)
    try {
      await mkdir(folder, { mode: 0o700 })
      const manifest = await this.#gather(folder, withKey)
      return (this.#current = this.#backupOf(manifest, folder))
    } catch (error) {
      await this.#giveBack(folder)
      throw error
    }
  }

  /**
   * Copies the history first, then the key. The key is written before the history has anything that needs it,
   * so the key's later copy is complete.
   */
  async #gather(folder: string, withKey: boolean): Promise<Manifest> {
    const made_at = new Date().toISOString()
    await copyHistory(path.join(this.#state, HISTORY_FILE), path.join(folder, HISTORY_FILE))
    const hasKey =
      withKey && (await copyIfThere(path.join(this.#state, REVIEWS_KEY), path.join(folder, REVIEWS_KEY)))
    const parts: Part[] = []
    for (const name of hasKey ? ([HISTORY_FILE, REVIEWS_KEY] as const) : ([HISTORY_FILE] as const))
      parts.push({ name, ...(await measured(path.join(folder, name))) })
    return manifestOf({ program: this.#program, schema: NEWEST_VERSION, made_at, parts })
  }

  #backupOf(manifest: Manifest, folder: string): Backup {
    const bytes = pack(manifest, folder)
    let discarded: Promise<void> | undefined
    const discard = () => {
      bytes.destroy()
      return (discarded ??= this.#giveBack(folder))
    }
    bytes.once('close', () => void discard())
    return { manifest, bytes, discard }
  }

  /** Never rejects. */
  #giveBack(folder: string): Promise<void> {
    this.#current = undefined
    this.#isBusy = false
    const removed = rm(folder, { recursive: true, force: true }).catch(this.#onError)
    this.#work = removed
    return removed
  }

  #sweep(folder: string): void {
    try {
      rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      this.#onError(error as Error)
    }
  }
}

async function copyIfThere(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

async function measured(file: string): Promise<Pick<Part, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file, { highWaterMark: 256 * 1024 }))
    hash.update(piece as Buffer)
  return { bytes: (await stat(file)).size, sha256: hash.digest('hex') }
}
