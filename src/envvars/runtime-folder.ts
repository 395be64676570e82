import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf, RuntimeFolderError } from './errors.ts'
import { claimFolder, TOUCH_INTERVAL_MS, touchOwner } from './owner.ts'
import { chooseRuntimeBase, ensureUserFolder, type RuntimeBaseRequest } from './runtime-base.ts'
import { SecretFiles } from './secret-files.ts'
import { sweepInstances, type SweepResult } from './sweep.ts'

/**
 * One agent's folder for secret files, `<base>/runbook-agent-<uid>/<instance>`, 0700. It exists from `open` to
 * `close`; what a killed agent leaves is removed by the `sweep` of a later one.
 */
export class RuntimeFolder implements AsyncDisposable {
  readonly path: string
  readonly #touching: NodeJS.Timeout
  #closed = false

  private constructor(path: string) {
    this.path = path
    // A failed touch is not worth a word here: making a session's folder in the same place will say more.
    this.#touching = setInterval(
      () => void touchOwner(path).catch(() => undefined),
      TOUCH_INTERVAL_MS,
    ).unref()
  }

  /** Throws `RuntimeFolderError` when there is no place that is safe. */
  static async open(request: RuntimeBaseRequest): Promise<RuntimeFolder> {
    const userFolder = await ensureUserFolder(await chooseRuntimeBase(request))
    return new RuntimeFolder(await makeInstance(userFolder))
  }

  /** A folder for one session's secret files, to be disposed by the caller. */
  async createSession(sessionId: string): Promise<SecretFiles> {
    if (this.#closed) throw new RuntimeFolderError(this.path, `${this.path} is closed, the agent is stopping`)
    return SecretFiles.create(this.path, sessionId)
  }

  /**
   * Removes what dead agents of this user left behind. At start, and every hour or so: of an agent in another
   * container it takes an hour's silence to know that it is dead.
   */
  async sweep(): Promise<SweepResult> {
    return sweepInstances(dirname(this.path), basename(this.path))
  }

  /** Removes the folder with everything still in it. May be called again. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#touching)
    try {
      await rm(this.path, { recursive: true, force: true })
    } catch (error) {
      const message = `cannot remove ${this.path}, remove it by hand: ${errnoOf(error)}`
      throw new RuntimeFolderError(this.path, message, { cause: error })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Made under a passing name and renamed: under its real name a folder always has an owner. */
async function makeInstance(userFolder: string): Promise<string> {
  const id = randomUUID()
  const passing = join(userFolder, `.new-${id}`)
  const path = join(userFolder, id)
  try {
    await mkdir(passing, { mode: 0o700 })
    await claimFolder(passing)
    await rename(passing, path)
    return path
  } catch (error) {
    await rm(passing, { recursive: true, force: true })
    const message = `cannot make ${path} for secret files: ${errnoOf(error)}; free some space or set another runtime-dir`
    throw new RuntimeFolderError(path, message, { cause: error })
  }
}
