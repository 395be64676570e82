import { dirname, resolve } from 'node:path'
import { checkShape } from '../../basics/settings/check.ts'
import { SettingsError, type Path, type Problems } from '../../basics/settings/problems.ts'
import { resolveReferences, type Sources } from '../../basics/settings/references.ts'
import { readTree, type SettingsTree, type Tree } from '../../basics/settings/tree.ts'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { buildSettings } from './build.ts'
import { SettingsShape } from './schema.ts'
import type { GatewaySettings } from './settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What a file says, even if it cannot be used. References in the tree are not yet followed. */
export interface ExaminedSettings extends SettingsTree {
  readonly settings: GatewaySettings | undefined
}

const FILE_BYTES = 1024 * 1024

/** Reads `gateway.yaml` and all it refers to. Throws a SettingsError, with all problems that could be found. */
export function loadSettings(path: string, env: Environment = process.env): GatewaySettings {
  return parseSettings(readText(path), { file: path, env })
}

/** The same for a text; `file` names it in errors, and paths in it are relative to that file's folder. */
export function parseSettings(text: string, { file, env }: SettingsOrigin): GatewaySettings {
  const { settings, problems } = examine(text, { file, env })
  problems.throwIfAny()
  if (settings !== undefined) return settings
  throw new SettingsError(file, [{ path: '', message: 'the settings cannot be used' }])
}

/** The file with everything that is wrong with it. Throws a SettingsError only when it cannot be read. */
export function examineSettings(path: string, env: Environment): ExaminedSettings {
  return examine(readText(path), { file: path, env })
}

interface SettingsOrigin {
  readonly file: string
  readonly env: Environment
}

function examine(text: string, { file, env }: SettingsOrigin): ExaminedSettings {
  const { tree, problems } = readTree(text, file)
  const sources = { folder: dirname(resolve(file)), env }
  const settings = tree === undefined ? undefined : settingsOf(tree ?? {}, sources, problems)
  return { tree, problems, settings }
}

function settingsOf(tree: Tree, sources: Sources, problems: Problems): GatewaySettings | undefined {
  const resolved = resolveReferences(tree, sources, problems, { stays: isFile })
  const shape = checkShape(SettingsShape, resolved, (...problem) => problems.add(...problem))
  return shape === undefined || problems.count > 0 ? undefined : buildSettings(shape, sources, problems)
}

/** `connections[].files` need bytes, not text: `buildSettings` reads them. */
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
