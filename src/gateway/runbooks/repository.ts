import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Logger } from '../../basics/logger.ts'
import { checkBranch, parseRemote, type Remote } from '../settings/repositories.ts'
import { Catalog, type Listing } from './catalog.ts'
import { Ancestry, checkRefHash, findCommit } from './git/commits.ts'
import { mirrorEnvironment } from './git/environment.ts'
import { hasFault, RunbookError } from '../refusals/runbook-errors.ts'
import { Mirror } from './mirror.ts'
import { oldCopyText, type OldCopy } from './old-copy.ts'
import { HEAD_COMMIT, MAX_STRUCTURE_BYTES, ObjectReader } from './git/objects.ts'
import { Refresher } from './refresher.ts'
import { readText } from './git/text.ts'
import { findBlob, splitPath } from './git/tree.ts'
import { allPaths } from './git/walk.ts'
import { isInWorktree } from './local.ts'

export const REFRESH_MS = 10_000

export interface RunbookRepositoryOptions {
  /** Used in messages, in logs, and for the mirror's folder. */
  readonly name: string
  /** A local path, `file://`, `https://` (credentials allowed), `ssh://` or `user@host:path`. */
  readonly url: string
  /** Undefined means the branch of the remote's HEAD. */
  readonly branch?: string | undefined
  /** The mirror is in `<stateDir>/repositories/`. */
  readonly stateDir: string
  readonly log: Logger
  /** Settles when repositories of earlier settings, which have another remote, no longer use the mirror. */
  readonly before?: (() => Promise<void>) | undefined
  /** Time in ms for which a copy of a remote repository counts as fresh. Default: 10,000. */
  readonly refreshMs?: number | undefined
  /** Time in ms for one fetch. Default: 30,000. */
  readonly fetchTimeoutMs?: number | undefined
  /** Largest size of the mirror. Default: 1 GiB. */
  readonly maxBytes?: number | undefined
  /** True if only `paths` is called, on a new mirror: nothing else is fetched then, and nothing twice. */
  readonly pathsOnly?: boolean | undefined
  /** git's variables come from this environment: PATH, HOME, proxies. Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined
}

interface RunbookFile {
  readonly text: string
  /** Full id of the commit from which the text was read. */
  readonly commit: string
  /** Set when there may be a newer commit that could not be fetched. */
  readonly oldCopy?: OldCopy
}

interface Tip {
  readonly commit: string
  readonly oldCopy: OldCopy | undefined
}

interface Parts {
  readonly name: string
  readonly remote: Remote
  readonly branch: string | undefined
  readonly before: () => Promise<void>
  readonly closing: AbortController
  readonly objects: ObjectReader
  readonly ancestry: Ancestry
  readonly catalog: Catalog
  readonly mirror: Mirror
  readonly refresher: Refresher
  readonly pathsOnly: boolean
}

/**
 * Reads the git objects of a private mirror, at a commit of the configured branch. There is no work tree. The
 * caller of `open` closes the repository.
 */
export class RunbookRepository {
  readonly #parts: Parts
  /** Reads that are running. */
  readonly #reads = new Set<Promise<unknown>>()

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Does not touch disk or network yet. @throws RunbookError for an unusable URL or branch */
  static open(options: RunbookRepositoryOptions): RunbookRepository {
    return new RunbookRepository(assemble(options))
  }

  /**
   * Reads at the branch's newest commit, or at `refHash`: 7 to 64 hex digits of a commit on the branch. An
   * empty `refHash` counts as missing.
   * @throws RunbookError with the `code` of the fault
   */
  async readFile(path: string, refHash?: string): Promise<RunbookFile> {
    const components = splitPath(path)
    const hash = refHash === undefined || refHash === '' ? undefined : checkRefHash(refHash)
    return this.#reading(async () => {
      const { oldCopy, ...tip } = await this.#tip()
      try {
        const commit = hash === undefined ? tip.commit : await this.#reviewedCommit(hash, tip.commit)
        const oid = await findBlob(this.#parts.objects, commit, components)
        const text = await readText(this.#parts.objects, oid, path)
        // With a given hash, the age of the copy does not matter, because the commit is the same in a newer
        // copy.
        return { text, commit, ...(oldCopy !== undefined && hash === undefined && { oldCopy }) }
      } catch (error) {
        if (!hasFault(error, 'missing')) throw error
        throw await this.#whyMissing(error, hash === undefined ? components : undefined, oldCopy)
      }
    })
  }

  /** Lists runbooks at the branch's newest commit. @param folders '' for all @throws RunbookError */
  async list(folders: readonly string[]): Promise<Listing & Pick<RunbookFile, 'oldCopy'>> {
    return this.#reading(async () => {
      const { commit, oldCopy } = await this.#tip()
      const listing = await this.#parts.catalog.list(commit, folders)
      return { ...listing, ...(oldCopy !== undefined && { oldCopy }) }
    })
  }

  /**
   * Lists the paths of all files at the branch's newest commit. Returns undefined if there are too many.
   * @throws RunbookError
   */
  async paths(): Promise<readonly string[] | undefined> {
    return this.#reading(async () => allPaths(this.#parts.objects, (await this.#tip()).commit))
  }

  /** Fetches the mirror before the first read. @throws RunbookError if nothing can be read */
  async prepare(): Promise<void> {
    await this.#counted(async () => {
      const { before, closing, refresher } = this.#parts
      await before()
      closing.signal.throwIfAborted()
      await refresher.refresh()
    })
  }

  get isClosed(): boolean {
    return this.#parts.closing.signal.aborted
  }

  /** Ends git's processes and waits for them. Rejects running reads. */
  async close(): Promise<void> {
    const { closing, refresher, ancestry, objects } = this.#parts
    closing.abort(new RunbookError('repository', 'the runbook repository is closed'))
    await Promise.all([refresher.close(), ancestry.close(), objects.close()])
  }

  /** Closes the repository when no read is running. */
  async retire(): Promise<void> {
    while (this.#reads.size > 0) await Promise.allSettled(this.#reads)
    await this.close()
  }

  #reading<T>(read: () => Promise<T>): Promise<T> {
    return this.#counted(async () => {
      const { before, pathsOnly } = this.#parts
      await before()
      return pathsOnly ? read() : this.#healing(read)
    })
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    const read = work()
    this.#reads.add(read)
    try {
      return await read
    } finally {
      this.#reads.delete(read)
    }
  }

  /** Refreshes the mirror, and returns the branch's newest commit. */
  async #tip(): Promise<Tip> {
    const { name, closing, refresher, objects } = this.#parts
    closing.signal.throwIfAborted()
    const oldCopy = await refresher.refresh()
    const commit = await mirrorTip(objects)
    if (commit === undefined) throw new RunbookError('damaged', `the mirror of ${name} has lost its branch`)
    return { commit, oldCopy }
  }

  /** @param components path of the file in the newest commit */
  async #whyMissing(
    error: RunbookError,
    components: readonly string[] | undefined,
    oldCopy: OldCopy | undefined,
  ): Promise<RunbookError> {
    const { name, remote, branch } = this.#parts
    if (oldCopy !== undefined) return new RunbookError('missing', `${error.message}; ${oldCopyText(oldCopy)}`)
    if (components === undefined || remote.kind !== 'local') return error
    if (!(await isInWorktree(remote.url, branch, components))) return error
    const file = components.join('/')
    return new RunbookError(
      'uncommitted',
      `runbook file ${file} is not committed in ${name}; run git add and git commit`,
    )
  }

  /**
   * Returns the commit if it is on the configured branch. Users who may push another branch must not run
   * scripts without review.
   */
  async #reviewedCommit(hash: string, tip: string): Promise<string> {
    const { name, objects, ancestry, refresher } = this.#parts
    let commit = await findCommit(objects, hash)
    let newest = tip
    if (commit === undefined) {
      await refresher.fetchNow()
      newest = (await mirrorTip(objects)) ?? tip
      commit = await findCommit(objects, hash)
    }
    if (commit === undefined)
      throw new RunbookError('missing', `ref_hash ${hash} not found in repository ${name}`)
    if (await ancestry.includes(commit, newest)) return commit
    throw new RunbookError('ref', `ref_hash ${hash} is not on the configured branch of repository ${name}`)
  }

  /** Rebuilds a damaged mirror and repeats the read, once. */
  async #healing<T>(read: () => Promise<T>): Promise<T> {
    const { mirror, refresher } = this.#parts
    const { generation } = mirror
    try {
      return await read()
    } catch (error) {
      if (!hasFault(error, 'damaged')) throw error
      await refresher.rebuild(generation)
      return await read()
    }
  }
}

function assemble(options: RunbookRepositoryOptions): Parts {
  const { name, branch, stateDir, log } = options
  const remote = parseRemote(options.url)
  if (branch !== undefined) checkBranch(branch)
  const closing = new AbortController()
  const outerEnv = options.env ?? process.env
  const gitDir = join(resolve(stateDir), 'repositories', `${folderName(name)}.git`)
  const objects = new ObjectReader({ gitDir, env: mirrorEnvironment(outerEnv) })
  const ancestry = new Ancestry(gitDir, { outerEnv, closing: closing.signal })
  const mirror = new Mirror({
    name,
    remote,
    branch,
    outerEnv,
    log,
    path: gitDir,
    closing: closing.signal,
    onReplaced: () => objects.renew(),
    pathsOnly: options.pathsOnly,
    timeoutMs: options.fetchTimeoutMs ?? 30_000,
    maxBytes: options.maxBytes ?? 1024 ** 3,
  })
  const refresher = new Refresher({
    name,
    remote,
    branch,
    mirror,
    log,
    closing: closing.signal,
    mirrorTip: () => mirrorTip(objects).catch(() => undefined),
    refreshMs: options.refreshMs ?? REFRESH_MS,
  })
  return {
    name,
    remote,
    branch,
    closing,
    objects,
    mirror,
    refresher,
    ancestry,
    pathsOnly: options.pathsOnly === true,
    before: options.before ?? (() => Promise.resolve()),
    catalog: new Catalog(objects),
  }
}

/**
 * Returns the name of the mirror's folder. The folder's name has only letters, digits, `.`, `_` and `-`. If
 * this changes the name, a digest is added, so that no two names share a folder.
 */
function folderName(name: string): string {
  if (name === '') throw new RunbookError('repository', 'a runbook repository has no name')
  const safe = name
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[.-]+/, '_')
    .slice(0, 100)
  if (safe === name) return name
  return `${safe}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}

async function mirrorTip(objects: ObjectReader): Promise<string | undefined> {
  const reply = await objects.read(HEAD_COMMIT, MAX_STRUCTURE_BYTES)
  return reply.kind === 'found' ? reply.oid : undefined
}
