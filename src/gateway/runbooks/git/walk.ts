import { hasFault, RunbookError } from '../../refusals/runbook-errors.ts'
import type { ObjectReader } from './objects.ts'
import {
  parseEntries,
  FILE_MODES,
  findEntry,
  FOLDER_MODES,
  readStructure,
  rootTree,
  splitPath,
} from './tree.ts'

export const LISTING_LIMITS = { files: 10_000, folders: 5_000, ms: 10_000 }
/** Paths alone cost less than runbooks, which are read and parsed. */
const PATH_LIMITS = { ...LISTING_LIMITS, files: 100_000 }

/** The id has as many bytes as the id of the commit. */
export interface TreeEntry {
  readonly oid: string
  readonly path: string
}

/**
 * Lists the paths of all files of a commit. Returns undefined if the commit has too many files or folders.
 * @param commit full id
 * @throws RunbookError
 */
export async function allPaths(objects: ObjectReader, commit: string): Promise<string[] | undefined> {
  const end = performance.now() + PATH_LIMITS.ms
  const walk = new Walk(objects, commit.length / 2, end, PATH_LIMITS)
  const files = await walk.files(await rootTree(objects, commit), '', () => true)
  return walk.isCut ? undefined : files.map(({ path }) => path)
}

/** Number of entries of a folder after which the time is looked at. */
const ENTRIES_BETWEEN_LOOKS = 1000

/** Finds the files of a folder in one commit, ordered by path. */
export class Walk {
  readonly #objects: ObjectReader
  readonly #oidBytes: number
  readonly #limits: typeof LISTING_LIMITS
  readonly #end: number
  #folders = 0
  /** True if the folder has, or may have, more files than were returned. */
  isCut = false

  /** @param end deadline, on the monotonic clock */
  constructor(objects: ObjectReader, oidBytes: number, end: number, limits: typeof LISTING_LIMITS) {
    this.#objects = objects
    this.#oidBytes = oidBytes
    this.#limits = limits
    this.#end = end
  }

  /**
   * Returns an empty list if the folder does not exist.
   * @param folder '' or a path that ends with a slash
   * @param isWanted tells which files count, by their name; runbooks by default
   * @throws RunbookError if reading takes too long
   */
  async files(
    root: string,
    folder: string,
    isWanted: (name: string) => boolean = isRunbook,
  ): Promise<TreeEntry[]> {
    const start = await this.#descend(root, folder)
    const found: TreeEntry[] = []
    if (start !== undefined) await this.#inside(start, isWanted, found)
    return found
  }

  async #descend(root: string, folder: string): Promise<TreeEntry | undefined> {
    let tree: TreeEntry = { oid: root, path: '' }
    for (const name of folder.split('/').slice(0, -1)) {
      const entry = findEntry(await this.#read(tree), name, this.#oidBytes)
      if (entry === undefined || !FOLDER_MODES.has(entry.mode)) return undefined
      tree = { oid: entry.oid, path: `${tree.path}${name}/` }
    }
    return tree
  }

  async #inside(tree: TreeEntry, isWanted: (name: string) => boolean, found: TreeEntry[]): Promise<void> {
    let looked = 0
    for (const { mode, name, oid } of parseEntries(await this.#read(tree), this.#oidBytes)) {
      if (this.isCut) return
      if ((looked += 1) % ENTRIES_BETWEEN_LOOKS === 0) this.checkTime()
      const kind = mode.toString('latin1')
      const entry = { oid: oid.toString('hex'), path: `${tree.path}${name.toString()}` }
      if (FOLDER_MODES.has(kind)) {
        // No request can contain a path below such a folder. Its name may have megabytes.
        if (isPlain(entry.path)) await this.#inside({ ...entry, path: `${entry.path}/` }, isWanted, found)
      } else if (FILE_MODES.has(kind) && isText(name) && isWanted(name.toString()) && isPlain(entry.path)) {
        if (this.#isBeyond('files', found.length + 1)) return
        found.push(entry)
      }
    }
  }

  async #read(tree: TreeEntry): Promise<Buffer> {
    this.checkTime()
    if (this.#isBeyond('folders', (this.#folders += 1))) return Buffer.alloc(0)
    try {
      return await readStructure(this.#objects, tree.oid, 'tree')
    } catch (error) {
      // The folder has some hundred thousand files, so it is not for runbooks and is skipped.
      if (!hasFault(error, 'content')) throw error
      this.isCut = true
      return Buffer.alloc(0)
    }
  }

  /** The catalog calls this method for each template, too. @throws RunbookError after the deadline */
  checkTime(): void {
    if (performance.now() <= this.#end) return
    throw new RunbookError('repository', `listing the runbooks took longer than ${this.#limits.ms / 1000} s`)
  }

  #isBeyond(what: 'folders' | 'files', count: number): boolean {
    if (count > this.#limits[what]) this.isCut = true
    return count > this.#limits[what]
  }
}

/** Tells whether a file is a runbook, by hoop's rule (protocol.md 9.2). */
function isRunbook(name: string): boolean {
  return name.includes('.runbook.')
}

/** A name that is not UTF-8 cannot be requested, so such a file does not count. */
function isText(name: Buffer): boolean {
  return Buffer.from(name.toString()).equals(name)
}

/**
 * Tells whether a request can contain this path. A path that is too long or has control characters is
 * refused.
 */
function isPlain(path: string): boolean {
  try {
    splitPath(path)
    return true
  } catch {
    return false
  }
}
