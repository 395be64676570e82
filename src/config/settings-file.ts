import { dirname } from 'node:path'
import { nearest } from '../basics/text/nearest.ts'
import { decodeUtf8, FileRefused, readSmallFile } from '../basics/files/small-file.ts'
import type { ConfigurationProblems } from './problems.ts'
import { settings } from './table.ts'
import { type Leaf, readLeaves, YamlError } from './yaml.ts'

export interface SettingsFile {
  /** By setting. `place` is `path:line:column`. */
  readonly entries: ReadonlyMap<string, { readonly text: string; readonly place: string }>
  /** Relative paths in the file start here. */
  readonly folder: string
  /** Permission bits; 0 when there is no file. */
  readonly mode: number
}

export interface Location {
  readonly path: string
  /** Who names it, for errors. */
  readonly place: string
  /** Whether it is an error that it does not exist. */
  readonly isRequired: boolean
}

const STANDARD_PATH = '/etc/runbook-agent/agent.yaml'
const NO_FILE: SettingsFile = { entries: new Map(), folder: '.', mode: 0 }
/** Many times what all settings with a comment each need. */
const LONGEST_FILE = 64 * 1024

/** `--config`, else the variable, else the standard place. */
export function locateFile(flag: string | undefined, variable: string | undefined): Location {
  if (flag !== undefined) return { path: flag, place: '--config', isRequired: true }
  if (variable) return { path: variable, place: 'RUNBOOK_AGENT_CONFIG', isRequired: true }
  return { path: STANDARD_PATH, place: 'the settings file', isRequired: false }
}

/** Undefined, and a problem, when it is not known what the file says; single wrong names are only problems. */
export function readSettingsFile(
  location: Location,
  problems: ConfigurationProblems,
): SettingsFile | undefined {
  try {
    const { bytes, mode } = readSmallFile(location.path, LONGEST_FILE)
    const entries = toEntries(readLeaves(decodeUtf8(bytes)), location.path, problems)
    return { entries, folder: dirname(location.path), mode }
  } catch (error) {
    if (error instanceof FileRefused && error.isMissing && !location.isRequired) return NO_FILE
    if (error instanceof FileRefused)
      problems.add(location.place, `the file ${location.path} ${error.message}`)
    else if (error instanceof YamlError) problems.add(`${location.path}:${error.at}`, error.message)
    else throw error
    return undefined
  }
}

function toEntries(
  leaves: readonly Leaf[],
  path: string,
  problems: ConfigurationProblems,
): SettingsFile['entries'] {
  const entries = new Map<string, { text: string; place: string }>()
  const seen = new Set<string>()
  for (const leaf of leaves) {
    const refusal = refusalOf(leaf, seen)
    if (leaf.name !== undefined) seen.add(leaf.name)
    if (refusal !== undefined) problems.add(`${path}:${refusal.at}`, refusal.message)
    else if (leaf.name !== undefined && typeof leaf.content === 'string') {
      entries.set(leaf.name, { text: leaf.content, place: `${path}:${leaf.contentAt}` })
    }
  }
  return entries
}

function refusalOf(leaf: Leaf, seen: ReadonlySet<string>): { at: string; message: string } | undefined {
  const { name, content, nameAt, contentAt } = leaf
  if (name === undefined) return { at: nameAt, message: 'the name of a setting is a text' }
  const setting = settings.find((candidate) => candidate.name === name)
  const members = settings.filter((candidate) => candidate.name.startsWith(`${name}.`))
  if (setting === undefined && members.length === 0) return { at: nameAt, message: unknown(name) }
  if (seen.has(name)) return { at: nameAt, message: `${name} is in this file already` }
  // A group with all its settings commented out is left empty.
  if (content === null || (setting !== undefined && content !== undefined)) return undefined
  const inside = members.map((member) => member.name).join(', ')
  const expected = setting?.kind.expected ?? `a group with these settings: ${inside}`
  return { at: contentAt, message: `${name} must be ${expected}` }
}

function unknown(name: string): string {
  const meant = nearest(
    name,
    settings.map((setting) => setting.name),
  )
  const advice = meant === undefined ? '' : `, did you mean ${meant}?`
  // With its ": " forgotten a whole line is a name, and the line may be the key.
  return /^[a-z][a-z0-9._-]{0,30}$/i.test(name) ? `unknown setting ${name}${advice}` : 'unknown setting'
}
