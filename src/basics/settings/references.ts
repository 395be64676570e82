import { resolve } from 'node:path'
import { decodeUtf8, FileRefused, readSmallFile } from '../files/small-file.ts'
import { type Path, type Problems, shorten } from './problems.ts'
import type { Tree } from './tree.ts'

export interface Sources {
  /** Folder of the settings file, where relative paths start. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Called with each file that a setting names. */
  readonly noticed?: (file: string, path: Path, holds: 'secret' | 'public') => void
}

/** The target of `file://PATH` (then the path is absolute) or of `env://NAME`. */
export type Reference =
  | { readonly kind: 'file'; readonly path: string; readonly name?: never }
  | { readonly kind: 'variable'; readonly name: string; readonly path?: never }

/** Maximum size of a referenced file. A key, a certificate or a token needs far less. */
const REFERENCED_BYTES = 1024 * 1024

/** Returns undefined for a plain value. */
export function referenceOf(value: string, folder: string): Reference | undefined {
  const [, scheme, target = ''] = /^(file|env):\/\/([\s\S]*)$/.exec(value) ?? []
  if (scheme === undefined) return undefined
  return scheme === 'env'
    ? { kind: 'variable', name: target }
    : { kind: 'file', path: resolve(folder, target) }
}

/**
 * Replaces each reference by the text to which it refers. If the text cannot be read, adds a problem and puts
 * null in its place. References for which `stays` returns true remain unchanged.
 */
export function resolveReferences(
  tree: Tree,
  sources: Sources,
  problems: Problems,
  { path = [], stays }: { readonly path?: Path; readonly stays?: (path: Path) => boolean } = {},
): Tree {
  if (typeof tree === 'string')
    return stays?.(path) === true ? tree : resolveText(tree, sources, problems, path)
  if (tree === null) return null
  const inside = (value: Tree, key: string | number): Tree =>
    resolveReferences(value, sources, problems, { path: [...path, key], ...(stays && { stays }) })
  if (isList(tree)) return tree.map((item, i) => inside(item, i))
  const result = Object.create(null) as Record<string, Tree>
  for (const [key, value] of Object.entries(tree)) result[key] = inside(value, key)
  return result
}

/** Removes the last line break of a file. Adds a problem and returns null if the reference cannot be read. */
function resolveText(text: string, sources: Sources, problems: Problems, path: Path): string | null {
  const reference = referenceOf(text, sources.folder)
  if (reference === undefined) return text
  if (reference.kind === 'variable') return readVariable(reference.name, sources, problems, path) ?? null
  const file = reference.path
  const read = (): string => {
    const { bytes } = readSmallFile(file, REFERENCED_BYTES)
    sources.noticed?.(file, path, path.at(-1) === 'ca' ? 'public' : 'secret')
    return decodeUtf8(bytes)
  }
  return refusing(labelOf(file), problems, path, read)?.replace(/\r?\n$/, '') ?? null
}

/** Returns the content of the file or variable. The file's path may begin with `file://` or not. */
export function readBytes(
  value: string,
  sources: Sources,
  problems: Problems,
  path: Path,
): Buffer | undefined {
  const reference = referenceOf(value, sources.folder)
  if (reference?.kind === 'variable') {
    const text = readVariable(reference.name, sources, problems, path)
    return text === undefined ? undefined : Buffer.from(text)
  }
  // The user may have written the key itself instead of its path, so the value is not shown.
  const label =
    reference === undefined ? 'the value is read as a path, and this file' : labelOf(reference.path)
  const file = reference?.path ?? resolve(sources.folder, value)
  return refusing(label, problems, path, () => {
    const { bytes } = readSmallFile(file, REFERENCED_BYTES)
    sources.noticed?.(file, path, 'secret')
    return bytes
  })
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
    // The user may mean the path itself. For example, hoop's settings name a repository on this machine by
    // `file://`.
    const hint = error.code === 'NOT-A-FILE' ? '; to use the path itself as the value, remove file://' : ''
    problems.add(path, `${label} ${error.message}${hint}`)
    return undefined
  }
}

function labelOf(file: string): string {
  return `the file ${shorten(file)}`
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree)
}
