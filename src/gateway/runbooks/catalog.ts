import pLimit from 'p-limit'
import { parseTemplate, TemplateError, type Input } from '../../template/runbook.ts'
import { hasFault, RunbookError } from '../refusals/runbook-errors.ts'
import type { ObjectReader } from './git/objects.ts'
import { leadingComment, type About } from './leading-comment.ts'
import { readText } from './git/text.ts'
import { readStructure, treeOf } from './git/tree.ts'
import { LISTING_LIMITS, Walk, type TreeEntry } from './git/walk.ts'

/** `error` is the reason why the runbook cannot be run. */
export interface ListedRunbook extends About {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly inputs: readonly Input[]
  /** Parameters that only blocks use. Unset if the template cannot be read. */
  readonly inBlocks?: readonly Input[]
  /** Path of the runbook that runs before this one, as its dry run. */
  readonly first?: string
  readonly error?: string
}

export interface Listing {
  /** Full id. */
  readonly commit: string
  /** `Name <address>`. */
  readonly author: string
  readonly message: string
  /** At most 10,000 per folder, ordered by path. */
  readonly runbooks: readonly ListedRunbook[]
  /** True if the repository has, or may have, more runbooks than were read. */
  readonly isCut: boolean
}

type Part = Pick<Listing, 'runbooks' | 'isCut'>

interface Wanted {
  readonly commit: string
  /** Id of the commit's tree. */
  readonly root: string
  readonly folder: string
  /** Deadline, on the monotonic clock. */
  readonly end: number
}

interface Content extends Omit<ListedRunbook, 'path'> {
  readonly length: number
}

/** Contents by object id. */
type Contents = ReadonlyMap<string, Content>

/** Maximum bytes of the runbooks that are read for one folder. A runbook has some KB. */
const MAX_BYTES = 32 * 1024 * 1024
/** Files that are read at the same time. git reads some of them while this process parses others. */
const READS = 32
const MAX_MESSAGE_CHARACTERS = 4_096

/** Reads each folder once per commit, because the content of a commit never changes. */
export class Catalog {
  readonly #objects: ObjectReader
  readonly #limits: typeof LISTING_LIMITS
  /** Parts by folder. The folders come only from the settings, so there are few. */
  readonly #parts = new Map<string, { readonly commit: string; readonly part: Promise<Part> }>()
  /** Contents of the last listing by folder. They are used again, because most files do not change. */
  readonly #contents = new Map<string, Contents>()

  /** @param limits for tests */
  constructor(objects: ObjectReader, limits = LISTING_LIMITS) {
    this.#objects = objects
    this.#limits = limits
  }

  /**
   * @param commit full id
   * @param folders '' for all
   * @throws RunbookError
   */
  async list(commit: string, folders: readonly string[]): Promise<Listing> {
    const text = await readStructure(this.#objects, commit, 'commit')
    const root = treeOf(text, commit)
    const end = performance.now() + this.#limits.ms
    const parts: Part[] = []
    for (const folder of outermost(folders)) parts.push(await this.#part({ commit, root, folder, end }))
    return {
      commit,
      ...describe(text),
      runbooks: parts.flatMap(({ runbooks }) => runbooks),
      isCut: parts.some(({ isCut }) => isCut),
    }
  }

  #part(wanted: Wanted): Promise<Part> {
    const { commit, folder } = wanted
    const known = this.#parts.get(folder)
    if (known?.commit === commit) return known.part
    const entry = { commit, part: this.#read(wanted) }
    this.#parts.set(folder, entry)
    // A failure is not remembered, so the next caller tries again.
    entry.part.catch(() => this.#parts.get(folder) === entry && this.#parts.delete(folder))
    return entry.part
  }

  async #read({ commit, root, folder, end }: Wanted): Promise<Part> {
    const known = this.#contents.get(folder)
    const contents = new Map<string, Content>()
    const walk = new Walk(this.#objects, commit.length / 2, end, this.#limits)
    const files = await walk.files(root, folder)
    const turns = pLimit({ concurrency: READS, rejectOnClear: true })
    let bytes = 0
    const read = async (file: TreeEntry) => {
      if (bytes > MAX_BYTES) return undefined
      walk.checkTime()
      const content = await this.#content(file, known, contents)
      bytes += content.length
      return { path: file.path, ...content }
    }
    try {
      const runbooks = upToBytes(await turns.map(files, read))
      this.#contents.set(folder, contents)
      return { runbooks, isCut: walk.isCut || runbooks.length < files.length }
    } catch (error) {
      // The contents of a listing that took too long are kept, so that the next listing gets further.
      if (contents.size > (known?.size ?? 0)) this.#contents.set(folder, contents)
      throw error
    } finally {
      turns.clearQueue()
    }
  }

  async #content(
    { path, oid }: TreeEntry,
    known: Contents | undefined,
    read: Map<string, Content>,
  ): Promise<Content> {
    try {
      const content = known?.get(oid) ?? parse(await readText(this.#objects, oid, path))
      read.set(oid, content)
      return content
    } catch (error) {
      if (!hasFault(error, 'content')) throw error
      // This error is not kept for other files with the same content, because its message contains the path.
      return { inputs: [], error: error.message, length: 0 }
    }
  }
}

/**
 * Keeps the order of the list, not the order of reading. Stops at the limit of bytes. The last runbook may
 * exceed the limit.
 */
function upToBytes(read: readonly ((ListedRunbook & Content) | undefined)[]): ListedRunbook[] {
  const listed: ListedRunbook[] = []
  let bytes = 0
  for (const runbook of read) {
    if (runbook === undefined || bytes > MAX_BYTES) break
    const { length, ...rest } = runbook
    bytes += length
    listed.push(rest)
  }
  return listed
}

/** Drops folders that are inside another folder of the list. */
function outermost(folders: readonly string[]): string[] {
  const roots = [...new Set(folders.map(asFolder))].sort()
  return roots.filter((folder) => !roots.some((other) => other !== folder && isInFolder(folder, other)))
}

/** Every file is in the folder ''. */
export function isInFolder(file: string, folder: string): boolean {
  return file.startsWith(asFolder(folder))
}

function asFolder(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`
}

function parse(text: string): Content {
  const about = leadingComment(text)
  try {
    const { inputs, inBlocks, first } = parseTemplate(text)
    return { ...about, inputs, inBlocks, ...(first && { first: first.path }), length: text.length }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { ...about, inputs: [], error: `template parse error: ${error.message}`, length: text.length }
  }
}

/** A commit has header lines, an empty line, and the message. */
function describe(commit: Buffer): { author: string; message: string } {
  const text = commit.toString()
  const headers = text.indexOf('\n\n')
  if (headers < 0) throw new RunbookError('repository', 'the headers of the newest commit are truncated')
  const [, author = ''] = /^author (.*) \d+ [+-]\d{4}$/m.exec(text.slice(0, headers)) ?? []
  return { author, message: text.slice(headers + 2, headers + 2 + MAX_MESSAGE_CHARACTERS) }
}
