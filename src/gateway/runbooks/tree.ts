import { MirrorDamagedError, RunbookContentError, RunbookNotFoundError, RunbookPathError } from './errors.ts'
import { MAX_STRUCTURE_BYTES, type ObjectReader } from './objects.ts'

/** PATH_MAX of Linux: no checkout could hold a longer one. */
const MAX_PATH_BYTES = 4_096
const SPACE = 0x20

interface TreeEntry {
  readonly mode: string
  readonly oid: string
}

/**
 * The components of a runbook's path. Throws a RunbookPathError for anything but a plain relative path; a
 * backslash is an ordinary character in git.
 */
export function splitPath(path: string): string[] {
  if (path === '') throw refused(path, 'is empty')
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refused(path, `is longer than ${MAX_PATH_BYTES} bytes`)
  if (/\p{Cc}/u.test(path)) throw refused(path, 'holds a control character')
  if (path.startsWith('/')) throw refused(path, 'is absolute: give it relative to the root of the repository')
  const components = path.split('/')
  if (components.includes('')) throw refused(path, 'has an empty component')
  if (components.includes('.') || components.includes('..')) throw refused(path, "must not hold '.' or '..'")
  return components
}

/**
 * Walks the tree of `commit` and gives the blob's object id. Only regular files in real folders count: a link or
 * a submodule anywhere on the way is refused, so no path leads out of the repository.
 */
export async function findBlob(
  objects: ObjectReader,
  commit: string,
  components: readonly string[],
): Promise<string> {
  const path = components.join('/')
  let oid = await rootTree(objects, commit)
  for (const [index, component] of components.entries()) {
    const entry = findEntry(await readStructure(objects, oid, 'tree'), component, commit.length / 2)
    if (entry === undefined) throw notFound(path)
    const last = index === components.length - 1
    checkMode(entry.mode, last, path)
    oid = entry.oid
  }
  return oid
}

async function rootTree(objects: ObjectReader, commit: string): Promise<string> {
  const content = await readStructure(objects, commit, 'commit')
  const oid = /^tree ([0-9a-f]{40,64})\n/.exec(content.toString('latin1', 0, 80))?.[1]
  if (oid === undefined) throw new MirrorDamagedError(`commit ${commit} names no tree`)
  return oid
}

async function readStructure(objects: ObjectReader, oid: string, type: 'commit' | 'tree'): Promise<Buffer> {
  const reply = await objects.read(oid, MAX_STRUCTURE_BYTES)
  if (reply.kind === 'too-large') throw new RunbookContentError(`${type} ${oid} is too big to be read`)
  if (reply.kind !== 'found') throw new MirrorDamagedError(`${type} ${oid} is missing`)
  if (reply.type !== type) throw new MirrorDamagedError(`object ${oid} is a ${reply.type}, not a ${type}`)
  return reply.content
}

/** A tree object is a row of `<mode> <name>\0<object id in bytes>`. */
function findEntry(tree: Buffer, name: string, oidBytes: number): TreeEntry | undefined {
  const wanted = Buffer.from(name)
  for (let start = 0; start < tree.length;) {
    const space = tree.indexOf(SPACE, start)
    const zero = tree.indexOf(0, start)
    const end = zero + 1 + oidBytes
    if (space < 0 || zero < space || end > tree.length)
      throw new MirrorDamagedError('a tree object is broken')
    if (tree.subarray(space + 1, zero).equals(wanted)) {
      return { mode: tree.toString('latin1', start, space), oid: tree.toString('hex', zero + 1, end) }
    }
    start = end
  }
  return undefined
}

function checkMode(mode: string, last: boolean, path: string): void {
  if (mode === '120000') throw refused(path, 'leads through a symbolic link, which is not followed')
  if (mode === '160000') throw refused(path, 'leads into a submodule, which is not fetched')
  const folder = mode === '40000' || mode === '040000'
  if (folder && last) throw refused(path, 'is a folder')
  if (!folder && !last) throw notFound(path)
}

function refused(path: string, why: string): RunbookPathError {
  // As JSON, so that no control character gets into a log or a terminal.
  return new RunbookPathError(`runbook file ${JSON.stringify(path.slice(0, 200))} ${why}`)
}

function notFound(path: string): RunbookNotFoundError {
  return new RunbookNotFoundError(`runbook file ${path} not found on git repo`)
}
