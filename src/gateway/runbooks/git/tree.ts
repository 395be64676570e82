import { hoopWords } from '../../../wire/gateway-words.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { MAX_STRUCTURE_BYTES, type ObjectReader } from './objects.ts'

/** PATH_MAX of Linux. No checkout can contain a longer path. */
const MAX_PATH_BYTES = 4_096
const SPACE = 0x20

interface TreeEntry {
  readonly mode: string
  readonly oid: string
}

/** Modes of folders and of files. All other modes are links and submodules. */
export const FOLDER_MODES: ReadonlySet<string> = new Set(['40000', '040000'])
export const FILE_MODES: ReadonlySet<string> = new Set(['100644', '100755', '100664'])

/**
 * Splits the path of a file. A backslash is an ordinary character, as in git.
 * @throws RunbookError for a path that is not allowed
 */
export function splitPath(path: string): string[] {
  if (path === '') throw refused(path, 'is empty')
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refused(path, `is longer than ${MAX_PATH_BYTES} bytes`)
  if (/\p{Cc}/u.test(path)) throw refused(path, 'contains a control character')
  if (path.startsWith('/'))
    throw refused(path, 'is absolute; write the path relative to the root of the repository')
  const components = path.split('/')
  if (components.includes('')) throw refused(path, 'has an empty component')
  if (components.includes('.') || components.includes('..'))
    throw refused(path, "must not contain '.' or '..'")
  return components
}

/** Refuses links and submodules in the path, so that no path leads out of the repository. */
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

export async function rootTree(objects: ObjectReader, commit: string): Promise<string> {
  return treeOf(await readStructure(objects, commit, 'commit'), commit)
}

export function treeOf(content: Buffer, commit: string): string {
  const oid = /^tree ([0-9a-f]{40,64})\n/.exec(content.toString('latin1', 0, 80))?.[1]
  if (oid === undefined) throw new RunbookError('damaged', `commit ${commit} names no tree`)
  return oid
}

/** @throws RunbookError, also for content that is too big */
export async function readStructure(
  objects: ObjectReader,
  oid: string,
  type: 'commit' | 'tree',
): Promise<Buffer> {
  const reply = await objects.read(oid, MAX_STRUCTURE_BYTES)
  if (reply.kind === 'too-large') throw new RunbookError('content', `${type} ${oid} is too big to be read`)
  if (reply.kind !== 'found') throw new RunbookError('damaged', `${type} ${oid} is missing`)
  if (reply.type !== type)
    throw new RunbookError('damaged', `object ${oid} is a ${reply.type}, not a ${type}`)
  return reply.content
}

export function findEntry(tree: Buffer, name: string, oidBytes: number): TreeEntry | undefined {
  const wanted = Buffer.from(name)
  for (const entry of parseEntries(tree, oidBytes)) {
    if (!entry.name.equals(wanted)) continue
    return { mode: entry.mode.toString('latin1'), oid: entry.oid.toString('hex') }
  }
  return undefined
}

/** A tree object is a row of `<mode> <name>\0<object id in bytes>`. */
export function* parseEntries(
  tree: Buffer,
  oidBytes: number,
): Generator<{ readonly mode: Buffer; readonly name: Buffer; readonly oid: Buffer }> {
  for (let start = 0; start < tree.length;) {
    const space = tree.indexOf(SPACE, start)
    const zero = tree.indexOf(0, start)
    const end = zero + 1 + oidBytes
    if (space < 0 || zero < space || end > tree.length)
      throw new RunbookError('damaged', 'a tree object is broken')
    yield {
      mode: tree.subarray(start, space),
      name: tree.subarray(space + 1, zero),
      oid: tree.subarray(zero + 1, end),
    }
    start = end
  }
}

function checkMode(mode: string, last: boolean, path: string): void {
  if (mode === '120000') throw refused(path, 'leads through a symbolic link, which is not followed')
  if (mode === '160000') throw refused(path, 'leads into a submodule, which is not fetched')
  const folder = FOLDER_MODES.has(mode)
  if (folder && last) throw refused(path, 'is a folder')
  if (!folder && !last) throw notFound(path)
}

function refused(path: string, why: string): RunbookError {
  // The path is written as JSON, so that no control character gets into a log or a terminal.
  return new RunbookError('path', `runbook file ${JSON.stringify(path.slice(0, 200))} ${why}`)
}

function notFound(path: string): RunbookError {
  return new RunbookError('missing', hoopWords.runbookNotInGit(path))
}
