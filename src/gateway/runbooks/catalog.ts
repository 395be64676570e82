import { parseTemplate, TemplateError, type Input } from '../../template/runbook.ts'
import { RepositoryError, RunbookContentError } from './errors.ts'
import type { ObjectReader } from './git/objects.ts'
import { readText } from './git/text.ts'
import { readStructure, treeOf } from './git/tree.ts'
import { LISTING_LIMITS, Walk } from './git/walk.ts'

/** A runbook and the parameters it asks for, or why it cannot be run. */
export interface ListedRunbook {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly inputs: readonly Input[]
  readonly error?: string
}

export interface Listing {
  /** Full id. */
  readonly commit: string
  /** `Name <address>`. */
  readonly author: string
  readonly message: string
  /** At most 1,000 per folder, ordered by path. */
  readonly runbooks: readonly ListedRunbook[]
  /** There are more than were looked at, or there may be. */
  readonly isCut: boolean
}

type Part = Pick<Listing, 'runbooks' | 'isCut'>

interface Wanted {
  readonly commit: string
  /** Id of the commit's tree. */
  readonly root: string
  readonly folder: string
  /** When to give up, on the monotonic clock. */
  readonly end: number
}

type Content = Omit<ListedRunbook, 'path'>

/** Limit of what one listing reads. A runbook has some KB. */
const MAX_BYTES = 32 * 1024 * 1024
/** How many contents are remembered, by object id. */
const MAX_REMEMBERED = 2_000
const MAX_MESSAGE_CHARACTERS = 4_096

/** Lists runbooks. The content of a commit never changes, so each folder is read once per commit. */
export class Catalog {
  readonly #objects: ObjectReader
  readonly #limits: typeof LISTING_LIMITS
  /** By folder. Only the folders of the settings' connections come here. */
  readonly #parts = new Map<string, { readonly commit: string; readonly part: Promise<Part> }>()
  readonly #contents = new Map<string, Content>()

  /** @param limits for tests */
  constructor(objects: ObjectReader, limits = LISTING_LIMITS) {
    this.#objects = objects
    this.#limits = limits
  }

  /** The runbooks in any of the folders ('' for all), at a commit given by its full id. Throws a RepositoryError. */
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
    // A failure is not remembered: the next caller tries again.
    entry.part.catch(() => this.#parts.get(folder) === entry && this.#parts.delete(folder))
    return entry.part
  }

  async #read({ commit, root, folder, end }: Wanted): Promise<Part> {
    const walk = new Walk(this.#objects, commit.length / 2, end, this.#limits)
    const runbooks: ListedRunbook[] = []
    let bytes = 0
    for await (const { path, oid } of walk.runbooks(root, folder)) {
      const { content, length } = await this.#content(oid, path)
      bytes += length
      if (bytes > MAX_BYTES) walk.isCut = true
      runbooks.push({ path, ...content })
    }
    return { runbooks, isCut: walk.isCut }
  }

  /** An error text names the path, so it cannot be remembered by content. */
  async #content(oid: string, path: string): Promise<{ content: Content; length: number }> {
    const known = this.#contents.get(oid)
    if (known !== undefined) return { content: known, length: 0 }
    try {
      const text = await readText(this.#objects, oid, path)
      const content = parse(text)
      this.#remember(oid, content)
      return { content, length: text.length }
    } catch (error) {
      if (!(error instanceof RunbookContentError)) throw error
      return { content: { inputs: [], error: error.message }, length: 0 }
    }
  }

  #remember(oid: string, content: Content): void {
    this.#contents.set(oid, content)
    const [oldest] = this.#contents.keys()
    if (this.#contents.size > MAX_REMEMBERED && oldest !== undefined) this.#contents.delete(oldest)
  }
}

/** Drops folders that lie inside another one of the list. */
function outermost(folders: readonly string[]): string[] {
  const roots = [...new Set(folders.map(asFolder))].sort()
  return roots.filter((folder) => !roots.some((other) => other !== folder && folder.startsWith(other)))
}

/** The beginning of the path of every file in the folder. */
export function asFolder(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`
}

function parse(text: string): Content {
  try {
    return { inputs: parseTemplate(text).inputs }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { inputs: [], error: `template parse error: ${error.message}` }
  }
}

/** A commit consists of header lines, an empty line, and the message. */
function describe(commit: Buffer): { author: string; message: string } {
  const text = commit.toString()
  const headers = text.indexOf('\n\n')
  if (headers < 0) throw new RepositoryError('the newest commit has no end of its headers')
  const [, author = ''] = /^author (.*) \d+ [+-]\d{4}$/m.exec(text.slice(0, headers)) ?? []
  return { author, message: text.slice(headers + 2, headers + 2 + MAX_MESSAGE_CHARACTERS) }
}
