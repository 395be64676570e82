import { dirname, resolve } from 'node:path'
import { LineCounter } from 'yaml'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { buildSettings } from './build.ts'
import { checkShape } from '../../basics/settings/check.ts'
import { Problems, SettingsError } from '../../basics/settings/problems.ts'
import { resolveReferences, type Sources } from '../../basics/settings/references.ts'
import type { GatewaySettings } from './settings.ts'
import { readTree, type Tree } from '../../basics/settings/tree.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What a text says, also where it cannot be used. */
export interface ExaminedSettings {
  /** As it is written, references not yet followed; undefined when it is no YAML. */
  readonly tree: Tree | undefined
  readonly problems: Problems
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
  const lines = new LineCounter()
  const problems = new Problems(file, lines)
  const tree = readTree(text, lines, problems)
  const isBroken = tree === undefined && problems.any
  const sources = { folder: dirname(resolve(file)), env }
  return { tree, problems, settings: isBroken ? undefined : settingsOf(tree ?? {}, sources, problems) }
}

function settingsOf(tree: Tree, sources: Sources, problems: Problems): GatewaySettings | undefined {
  const shape = checkShape(resolveReferences(tree, sources, problems), problems)
  return shape === undefined || problems.any ? undefined : buildSettings(shape, sources, problems)
}

function readText(path: string): string {
  try {
    return decodeUtf8(readSmallFile(path, FILE_BYTES).bytes)
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    throw new SettingsError(path, [{ path: '', message: `the file ${error.message}` }])
  }
}
