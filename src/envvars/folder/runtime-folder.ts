import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, utimes } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../../basics/errors.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import { removeTree, SecretFiles, SESSION_PREFIX } from '../secret-files.ts'
import { claimOwnership, isAbandoned, isSilent, ownerState, TOUCH_INTERVAL_MS, touchOwner } from './owner.ts'
import { chooseRuntimeBase, ensureUserFolder, type RuntimeBaseRequest, userFolders } from './runtime-base.ts'

const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const INSTANCE = new RegExp(`^${UUID}$`)
/** The temporary name of a folder that is being made. */
const NEW = new RegExp(`^\\.new-${UUID}$`)
/** The temporary name of a folder that is being removed. */
const OLD = new RegExp(`^\\.old-${UUID}$`)

interface SweepResult {
  /** Number of session folders that were removed together with their agents' folders. */
  readonly sessions: number
  /** Errors of reading or removing. The next sweep tries again. */
  readonly errors: readonly SetUpError[]
}

/**
 * Removes the folders of agents that ended without cleaning up. Instances of living agents and files of other
 * programs stay. Links are not followed.
 * @param own the caller's instance
 */
export async function sweepInstances(userFolder: string, own: string): Promise<SweepResult> {
  let sessions = 0
  const errors: SetUpError[] = []
  for (const name of await listFolders(userFolder, errors)) {
    if (name === own) continue
    try {
      sessions += await sweepOne(userFolder, name)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') errors.push(sweepError(join(userFolder, name), error))
    }
  }
  return { sessions, errors }
}

/**
 * Lists the instances whose agents have certainly ended in this pid namespace, because only their processes
 * can be found from here. Unreadable instances are left out: the sweep reports them.
 */
export async function abandonedInstances(userFolder: string, own: string): Promise<string[]> {
  const abandoned: string[] = []
  for (const name of await listFolders(userFolder, [])) {
    if (name === own || !INSTANCE.test(name)) continue
    const state = await ownerState(join(userFolder, name)).catch(() => undefined)
    if (state === 'ended') abandoned.push(name)
  }
  return abandoned
}

async function listFolders(path: string, errors: SetUpError[]): Promise<string[]> {
  try {
    const found = await readdir(path, { withFileTypes: true })
    return found.filter((item) => item.isDirectory()).map(({ name }) => name)
  } catch (error) {
    errors.push(sweepError(path, error))
    return []
  }
}

/** Returns the number of removed session folders. ENOENT means that another agent was faster. */
async function sweepOne(userFolder: string, name: string): Promise<number> {
  const path = join(userFolder, name)
  if (OLD.test(name)) return (await isSilent(path)) ? removeInstance(path) : 0
  // If the agent was killed before it wrote the owner file, the empty folder stays for an hour.
  if (NEW.test(name)) return (await isAbandoned(path)) ? removeInstance(path) : 0
  if (!INSTANCE.test(name) || !(await isAbandoned(path))) return 0
  // If two agents start at once, only one of them succeeds with the rename. The new name also hides a folder
  // that is half removed. The folder is touched before the rename, because other agents would otherwise take
  // it for a leftover of an old sweep.
  const now = new Date()
  await utimes(path, now, now)
  const retired = join(userFolder, `.old-${randomUUID()}`)
  await rename(path, retired)
  return removeInstance(retired)
}

async function removeInstance(path: string): Promise<number> {
  const sessions = (await readdir(path)).filter((name) => name.startsWith(SESSION_PREFIX)).length
  await removeTree(path)
  return sessions
}

function sweepError(path: string, error: unknown): SetUpError {
  const message = `cannot remove the files of an earlier agent in ${path}: ${errnoOf(error)}`
  return new SetUpError(message, { cause: error })
}

/**
 * One agent's folder for secret files (mode 0700). Its path is `<base>/runbook-agent-<uid>/<instance>`, or
 * beside it if that place is unsafe. The folder exists from `open` to `close`. If the agent is killed, the
 * `sweep` of a later agent removes the folder. Another program may also remove it (logind's RemoveIPC, a
 * cleaner of old files). Then the next session makes the folder again with the same name.
 */
export class RuntimeFolder implements AsyncDisposable {
  readonly #request: RuntimeBaseRequest
  readonly #touching: NodeJS.Timeout
  #made: Made
  #renewals = 0
  #renewal: Promise<void> | undefined
  #closed = false

  private constructor(request: RuntimeBaseRequest, made: Made) {
    this.#request = request
    this.#made = made
    // A failed touch is not reported, because the next session in this folder fails with a better error.
    this.#touching = setInterval(
      () => void touchOwner(this.path).catch(() => undefined),
      TOUCH_INTERVAL_MS,
    ).unref()
  }

  /** @throws SetUpError if no safe place exists */
  static async open(request: RuntimeBaseRequest): Promise<RuntimeFolder> {
    return new RuntimeFolder(request, await makeFolder(request, randomUUID()))
  }

  /**
   * Usually `<base>/runbook-agent-<uid>/<instance>`. If the folder has vanished and is made again, the base
   * may change.
   */
  get path(): string {
    return this.#made.path
  }

  /** The reason why the usual folder is unsafe and not used. */
  get refused(): string | undefined {
    return this.#made.refused
  }

  /**
   * A uuid. It stays the same when the folder is made again, because running commands have it in their
   * environment.
   */
  get instance(): string {
    return basename(this.path)
  }

  /** Creates the folder of a session. The caller disposes the result. */
  async createSession(sessionId: string): Promise<SecretFiles> {
    this.#refuseClosed()
    const renewals = this.#renewals
    try {
      return await SecretFiles.create(this.path, sessionId)
    } catch (error) {
      // After `close` has removed the folder, it must not be made again.
      this.#refuseClosed()
      if (!isVanished(error)) throw error
    }
    if (renewals === this.#renewals) await this.#renew()
    this.#refuseClosed()
    return SecretFiles.create(this.path, sessionId)
  }

  /**
   * Removes the folders of dead agents. Call this method at the start and about every hour, because an agent
   * in another container counts as dead only after an hour without a touch.
   */
  async sweep(): Promise<SweepResult> {
    const swept = []
    for (const folder of this.#userFolders()) swept.push(await sweepInstances(folder, this.instance))
    return {
      sessions: swept.reduce((sum, { sessions }) => sum + sessions, 0),
      errors: swept.flatMap(({ errors }) => errors),
    }
  }

  /**
   * Lists agents that were killed on this machine and in this pid namespace. Call this method before `sweep`,
   * which removes their folders.
   */
  async abandoned(): Promise<string[]> {
    const abandoned = []
    for (const folder of this.#userFolders())
      abandoned.push(...(await abandonedInstances(folder, this.instance)))
    return abandoned
  }

  /** Removes the folder. This method can be called again. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#touching)
    // A folder that is being made now must be removed, too. If making it fails, the session that needs the
    // folder gets the error.
    await this.#renewal?.catch(() => undefined)
    try {
      await removeTree(this.path)
    } catch (error) {
      const message = `cannot remove ${this.path}, remove it by hand: ${errnoOf(error)}`
      throw new SetUpError(message, { cause: error })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Returns this agent's user folder, and the folders that agents used while the usual folder was unsafe. */
  #userFolders(): Set<string> {
    const own = dirname(this.path)
    return new Set([own, ...userFolders(dirname(own))])
  }

  #refuseClosed(): void {
    if (this.#closed) throw new SetUpError(`${this.path} is closed, the agent is stopping`)
  }

  /** Makes the folder again. Sessions that miss the folder at the same time share one new folder. */
  #renew(): Promise<void> {
    this.#renewal ??= makeFolder(this.#request, this.instance)
      .then((made) => this.#renewed(made))
      .finally(() => (this.#renewal = undefined))
    return this.#renewal
  }

  #renewed(made: Made): void {
    this.#made = made
    this.#renewals += 1
  }
}

function isVanished(error: unknown): boolean {
  return error instanceof SetUpError && errnoOf(error.cause) === 'ENOENT'
}

interface Made {
  readonly path: string
  readonly refused: string | undefined
}

async function makeFolder(request: RuntimeBaseRequest, instance: string): Promise<Made> {
  const { path, refused } = await ensureUserFolder(await chooseRuntimeBase(request))
  return { path: await makeInstance(path, instance), refused }
}

/**
 * Makes the folder under a temporary name and then renames it. Under its final name, the folder therefore
 * always has an owner file.
 */
async function makeInstance(userFolder: string, instance: string): Promise<string> {
  const passing = join(userFolder, `.new-${randomUUID()}`)
  const path = join(userFolder, instance)
  try {
    await mkdir(passing, { mode: 0o700 })
    await claimOwnership(passing)
    await rename(passing, path)
    return path
  } catch (error) {
    await rm(passing, { recursive: true, force: true })
    const message = `cannot make ${path} for secret files: ${errnoOf(error)}; free some space or set another runtime-dir`
    throw new SetUpError(message, { cause: error })
  }
}
