import { dirname, resolve } from 'node:path'
import { checkShape } from '../../basics/settings/shapes.ts'
import { SettingsError, type Path, type Problems } from '../../basics/settings/problems.ts'
import { resolveReferences, type Sources } from '../../basics/settings/references.ts'
import { readTree, type SettingsTree, type Tree } from '../../basics/settings/tree.ts'
import { openToOthers } from '../../basics/files/private-path.ts'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { buildSettings } from './build.ts'
import { SettingsShape } from './schema.ts'
import type { GatewaySettings } from './settings.ts'
import { unreviewedWarnings } from './unreviewed.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Content of the file, even if its settings are invalid. References in the tree are not resolved. */
interface ExaminedSettings extends SettingsTree {
  readonly settings: GatewaySettings | undefined
  /** Warnings about secrets that other users can read, and about uses that need no approval although runbooks do. */
  readonly warnings: readonly string[]
}

const FILE_BYTES = 1024 * 1024

/**
 * Reads `gateway.yaml` and all files that it refers to.
 * @param warn receives a line for each warning
 * @throws SettingsError with all problems that could be found
 */
export function loadSettings(
  path: string,
  env: Environment = process.env,
  warn: (warning: string) => void = () => undefined,
): GatewaySettings {
  const { settings, problems, warnings } = examineSettings(path, env)
  warnings.forEach(warn)
  problems.throwIfAny()
  if (settings !== undefined) return settings
  throw new SettingsError(path, [{ path: '', message: 'the settings cannot be used' }])
}

/** Throws a SettingsError only when the file cannot be read. */
export function examineSettings(path: string, env: Environment): ExaminedSettings {
  const file = resolve(path)
  const { tree, problems } = readTree(readText(path), path)
  const warnings: string[] = []
  const noticed: Sources['noticed'] = (named, place, holds) => {
    const writable = openToOthers('write', named)
    if (writable !== undefined) return problems.add(place, `${writable.what}: ${writable.advice}`)
    const readable = holds === 'secret' ? openToOthers('read', named, 'the secret') : undefined
    if (readable !== undefined)
      warnings.push(`${problems.placeOf(place)}: ${readable.what}: ${readable.advice}`)
  }
  const sources = { folder: dirname(file), env, noticed }
  const settings = tree === undefined ? undefined : settingsOf(tree ?? {}, sources, problems)
  noticed(file, [], tree !== undefined && holdsSecret(tree) ? 'secret' : 'public')
  const unreviewed = unreviewedWarnings(settings?.connections ?? [], problems)
  return { tree, problems, settings, warnings: [...new Set(warnings), ...unreviewed] }
}

const SECRETS = new Set(['token', 'key', 'secret', 'api_token', 'client-secret'])

/** Tests if the file itself contains a secret. `tls.key` is not a secret but a path. */
function holdsSecret(tree: Tree, key = '', parent = ''): boolean {
  if (typeof tree === 'string')
    return (
      ((SECRETS.has(key) && parent !== 'tls') || parent === 'secrets') &&
      !/^(?:file|env):\/\/|^sha256:/.test(tree)
    )
  if (tree === null) return false
  if (Array.isArray(tree)) return tree.some((item: Tree) => holdsSecret(item, '', key))
  return Object.entries(tree).some(([name, value]) => holdsSecret(value, name, key))
}

function settingsOf(tree: Tree, sources: Sources, problems: Problems): GatewaySettings | undefined {
  const resolved = resolveReferences(tree, sources, problems, { stays: isFile })
  const shape = checkShape(SettingsShape, resolved, (...problem) => problems.add(...problem))
  return shape === undefined || problems.count > 0 ? undefined : buildSettings(shape, sources, problems)
}

/** References in `connections[].files` stay, because files are not text. `buildSettings` reads them. */
function isFile(path: Path): boolean {
  return path.length === 4 && path[0] === 'connections' && path[2] === 'files'
}

function readText(path: string): string {
  try {
    return decodeUtf8(readSmallFile(path, FILE_BYTES).bytes)
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    throw new SettingsError(path, [{ path: '', message: `the file ${error.message}` }])
  }
}
