import { resolve } from 'node:path'
import { decodeUtf8, FileRefused, readSmallFile } from '../files/small-file.ts'
import { type Path, type Problems, shorten } from './problems.ts'
import type { Tree } from './tree.ts'

/** Where `file://` and `env://` values come from. */
export interface Sources {
  /** Folder of the settings file; relative paths start there. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A key, a certificate, a token: nothing near this. */
const REFERENCED_BYTES = 1024 * 1024

/**
 * Replaces each value `file://PATH` by the text in that file, without its last line break, and each `env://NAME`
 * by that variable. What cannot be read becomes null and a problem. Values below `connections[].files` stay:
 * there a file's bytes are wanted.
 */
export function resolveReferences(tree: Tree, sources: Sources, problems: Problems, path: Path = []): Tree {
  if (typeof tree === 'string') return isFilesEntry(path) ? tree : resolveText(tree, sources, problems, path)
  if (tree === null) return null
  const inside = (value: Tree, key: string | number): Tree =>
    resolveReferences(value, sources, problems, [...path, key])
  if (isList(tree)) return tree.map((item, i) => inside(item, i))
  const result = Object.create(null) as Record<string, Tree>
  for (const [key, value] of Object.entries(tree)) result[key] = inside(value, key)
  return result
}

/** The bytes a value of `connections[].files` stands for: a path, with or without `file://`, or `env://NAME`. */
export function readBytes(
  value: string,
  sources: Sources,
  problems: Problems,
  path: Path,
): Buffer | undefined {
  const name = after('env://', value)
  if (name !== undefined) {
    const text = readVariable(name, sources, problems, path)
    return text === undefined ? undefined : Buffer.from(text)
  }
  const file = after('file://', value)
  // Somebody may have written a key itself where its path belongs, so the value is not shown.
  const absolute = resolve(sources.folder, file ?? value)
  const label = file === undefined ? 'this is a path, and the file' : labelOf(absolute)
  return refusing(label, problems, path, () => readSmallFile(absolute, REFERENCED_BYTES).bytes)
}

function resolveText(text: string, sources: Sources, problems: Problems, path: Path): string | null {
  const name = after('env://', text)
  if (name !== undefined) return readVariable(name, sources, problems, path) ?? null
  const file = after('file://', text)
  if (file === undefined) return text
  const absolute = resolve(sources.folder, file)
  const read = (): string => decodeUtf8(readSmallFile(absolute, REFERENCED_BYTES).bytes)
  return refusing(labelOf(absolute), problems, path, read)?.replace(/\r?\n$/, '') ?? null
}

function readVariable(name: string, sources: Sources, problems: Problems, path: Path): string | undefined {
  const value = Object.hasOwn(sources.env, name) ? sources.env[name] : undefined
  if (value === undefined) problems.add(path, `the environment variable ${shorten(name)} is not set`)
  return value
}

function refusing<T>(label: string, problems: Problems, path: Path, work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    // hoop takes file:// for a repository on this machine; here it is the file that holds the url.
    const isRepository = path.at(-1) === 'url' && error.code === 'NOT-A-FILE'
    const hint = isRepository ? '; a repository on this machine is written as its path, without file://' : ''
    problems.add(path, `${label} ${error.message}${hint}`)
    return undefined
  }
}

function labelOf(file: string): string {
  return `the file ${shorten(file)}`
}

function isFilesEntry(path: Path): boolean {
  return path.length === 4 && path[0] === 'connections' && path[2] === 'files'
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree)
}

function after(prefix: string, text: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined
}
