import { createHash, randomBytes } from 'node:crypto'
import {
  chmod,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Logger } from '../../basics/logger.ts'
import { claimFolder, ForeignPathError } from '../../basics/files/private-path.ts'
import { runInMirror } from './git/command.ts'
import { hasFault, RunbookError } from '../refusals/runbook-errors.ts'
import { fetchInto, type FetchOptions } from './git/fetch.ts'
import { HEAD_REF } from './git/objects.ts'

/** A clone's folder that is older than this was left by a crash. No fetch may take so long. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1_000
/** File with a digest of remote and branch. Its modification time is the time of the last good fetch. */
const ORIGIN_FILE = 'runbooks-origin'
/** git's messages about broken files. A false match costs only a fetch of the whole branch. */
const BROKEN_MIRROR =
  /bad config|not a git repository|did not send all necessary objects|bad object|corrupt|loose object|missing (?:blob|tree|commit)|unable to (?:read|parse|open)|mismatched algorithms|cannot lock ref|\.lock': File exists/i

interface MirrorOptions extends FetchOptions {
  /** `<state>/repositories/<name>.git`. Its parent is made private. */
  readonly path: string
  readonly log: Logger
  /** Called when another folder has replaced the mirror. Open files of the old folder are then outdated. */
  readonly onReplaced: () => void
}

/** Errors which mean that the copy does not exist, or that its path is something else. */
const NO_ORIGIN: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

type ObjectFormat = 'sha1' | 'sha256'

/**
 * The private bare copy of one remote branch. It appears at its path only when it is complete. A new copy is
 * fetched into a folder beside the path, and this folder is then renamed.
 */
export class Mirror {
  readonly #options: MirrorOptions
  #generation = 0

  constructor(options: MirrorOptions) {
    this.#options = options
  }

  /** Number of rebuilds. */
  get generation(): number {
    return this.#generation
  }

  /**
   * Returns the time of the copy's last fetch, in ms since 1970. Returns `undefined` if there is no copy of
   * this remote and branch.
   * @throws RunbookError if the time cannot be read, because a missing descriptor must not discard a good
   * copy
   */
  async fetchedAt(): Promise<number | undefined> {
    const file = join(this.#options.path, ORIGIN_FILE)
    try {
      if (!(await isFolder(this.#options.path))) return undefined
      if ((await readFile(file, 'utf8')) !== this.#origin()) return undefined
      return (await stat(file)).mtimeMs
    } catch (cause) {
      if (NO_ORIGIN.has(codeOf(cause))) return undefined
      const { name } = this.#options
      throw new RunbookError(
        'repository',
        `cannot read the copy of runbook repository ${name}: ${String(cause)}`,
        {
          cause,
        },
      )
    }
  }

  /** Fetches into the copy. Starts over if there is no copy, or if the copy is broken or too big. */
  async update(): Promise<void> {
    if ((await this.fetchedAt()) === undefined) return this.rebuild()
    try {
      await fetchInto(this.#options.path, this.#options)
      await this.#stamp()
    } catch (error) {
      if (!(await this.#worthStartingOver(error))) throw error
      this.#warnAboutStartingOver(error)
      await this.rebuild()
    }
  }

  /** Makes a new copy. The old copy stays until the new copy is complete. */
  async rebuild(): Promise<void> {
    const { path } = this.#options
    await this.#prepareFolder()
    const fresh = `${path}.new-${randomBytes(6).toString('hex')}`
    try {
      await this.#build(fresh)
      await replaceFolder(path, fresh)
      this.#generation += 1
      this.#options.onReplaced()
    } finally {
      await rm(fresh, { recursive: true, force: true })
    }
  }

  async #build(fresh: string): Promise<void> {
    try {
      await this.#initAndFetch(fresh, 'sha1')
    } catch (error) {
      if (!hasFault(error, 'repository') || !error.message.includes('server sha256')) throw error
      await rm(fresh, { recursive: true, force: true })
      await this.#initAndFetch(fresh, 'sha256')
    }
    await writeFile(join(fresh, ORIGIN_FILE), this.#origin(), { mode: 0o600 })
  }

  async #initAndFetch(fresh: string, format: ObjectFormat): Promise<void> {
    await mkdir(fresh, { mode: 0o700 })
    // The template is empty, so that no hooks are copied from the machine's own template.
    const args = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`]
    const { code, stderr } = await runInMirror(fresh, args, this.#options)
    if (code !== 0) throw new RunbookError('repository', `git init failed: ${stderr.trim()}`)
    await fetchInto(fresh, this.#options)
  }

  async #hasHead(): Promise<boolean> {
    const args = ['rev-parse', '--quiet', '--verify', `${HEAD_REF}^{tree}`]
    const { code } = await runInMirror(this.#options.path, args, this.#options)
    return code === 0
  }

  async #worthStartingOver(error: unknown): Promise<boolean> {
    // If the copy is too big, a fresh copy may be small enough, because force pushes leave unused objects
    // behind.
    if (hasFault(error, 'size')) return true
    if (!hasFault(error, 'repository', 'damaged')) return false
    return BROKEN_MIRROR.test(error.message) || !(await this.#hasHead())
  }

  #warnAboutStartingOver(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#options.log.warn(
      { repository: this.#options.name, reason },
      'runbook mirror is fetched from scratch',
    )
  }

  async #stamp(): Promise<void> {
    const now = new Date()
    await utimes(join(this.#options.path, ORIGIN_FILE), now, now)
  }

  async #prepareFolder(): Promise<void> {
    const folder = dirname(this.#options.path)
    // The path may be a file, or a link to any place. The gateway never writes through a link, and removes
    // only the link itself. EISDIR and EPERM mean that another gateway on this state folder has just created
    // the folder.
    if (!(await isFolder(folder))) await unlink(folder).catch(ignore('ENOENT', 'EISDIR', 'EPERM'))
    try {
      claimFolder(folder)
    } catch (error) {
      if (!(error instanceof ForeignPathError)) throw error
      throw new RunbookError('repository', `cannot keep runbook repositories here: ${error.message}`)
    }
    await chmod(folder, 0o700)
    await removeAbandoned(folder, basename(this.#options.path))
  }

  /** Returns a digest, because even the path of the remote may be confidential. */
  #origin(): string {
    const { remote, branch } = this.#options
    return createHash('sha256')
      .update(JSON.stringify([remote.url, branch ?? null]))
      .digest('hex')
  }
}

/**
 * Tells whether the path is a folder. Links are not followed, because the gateway never makes its mirror
 * behind a link.
 */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch (error) {
    ignore('ENOENT', 'ENOTDIR')(error)
    return false
  }
}

async function replaceFolder(path: string, fresh: string): Promise<void> {
  const old = `${path}.old-${randomBytes(6).toString('hex')}`
  await rename(path, old).catch(ignore('ENOENT'))
  // Another gateway on this state folder may have just put its own copy at this path. That copy is as fresh
  // as ours.
  await rename(fresh, path).catch(ignore('ENOTEMPTY', 'EEXIST'))
  await rm(old, { recursive: true, force: true })
}

function ignore(...codes: string[]): (error: unknown) => void {
  return (error) => {
    const code = codeOf(error)
    if (!codes.some((each) => each === code)) throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

async function removeAbandoned(folder: string, mirror: string): Promise<void> {
  const names = await readdir(folder)
  for (const name of names.filter(
    (each) => each.startsWith(`${mirror}.new-`) || each.startsWith(`${mirror}.old-`),
  )) {
    const path = join(folder, name)
    const changedAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now()
    if (changedAt < Date.now() - ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true })
  }
}
