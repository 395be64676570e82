import { dirname, resolve } from 'node:path'
import { LineCounter } from 'yaml'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { buildSettings } from './build.ts'
import { checkShape } from './check.ts'
import { Problems, SettingsError } from './problems.ts'
import { resolveReferences } from './references.ts'
import type { GatewaySettings } from './settings.ts'
import { readTree } from './tree.ts'

type Environment = Readonly<Record<string, string | undefined>>

const FILE_BYTES = 1024 * 1024

/** Reads `gateway.yaml` and all it refers to. Throws a SettingsError, with all problems that could be found. */
export function loadSettings(path: string, env: Environment = process.env): GatewaySettings {
  return parseSettings(readText(path), { file: path, env })
}

/** The same for a text; `file` names it in errors, and paths in it are relative to that file's folder. */
export function parseSettings(
  text: string,
  { file, env }: { file: string; env: Environment },
): GatewaySettings {
  const lines = new LineCounter()
  const problems = new Problems(file, lines)
  const sources = { folder: dirname(resolve(file)), env }
  const tree = readTree(text, lines, problems)
  if (tree === undefined) problems.throwIfAny()
  const shape = checkShape(resolveReferences(tree ?? {}, sources, problems), problems)
  problems.throwIfAny()
  if (shape === undefined)
    throw new SettingsError(file, [{ path: '', message: 'the settings cannot be used' }])
  const settings = buildSettings(shape, sources, problems)
  problems.throwIfAny()
  return settings
}

function readText(path: string): string {
  try {
    return decodeUtf8(readSmallFile(path, FILE_BYTES).bytes)
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    throw new SettingsError(path, [{ path: '', message: `the file ${error.message}` }])
  }
}
