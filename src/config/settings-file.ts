import { dirname, resolve } from 'node:path'
import { decodeUtf8, FileRefused, readSmallFile } from '../basics/files/small-file.ts'
import { unknownSetting } from '../basics/settings/check.ts'
import { type Path, Problems } from '../basics/settings/problems.ts'
import { expected } from '../basics/settings/shapes.ts'
import { readTree, type Tree } from '../basics/settings/tree.ts'
import { settings } from './table.ts'

export interface SettingsFile {
  /** What the file says of each setting. Undefined when the file cannot be read. */
  readonly entries: ReadonlyMap<string, Tree> | undefined
  /** Relative paths in the file start here. */
  readonly folder: string
  readonly path: string
  readonly problems: Problems
}

/** Where the agent's settings come from when it starts. */
export interface SettingsSource {
  /** As in commander's `opts()`: `outputCap` for `--output-cap`. Flags of other commands may be among them. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly env: NodeJS.ProcessEnv
  readonly stderrIsTty: boolean
}

export interface Location {
  readonly path: string
  /** What named it, for errors: a flag, a variable. */
  readonly place: string
  /** Whether it is an error that it does not exist. */
  readonly isRequired: boolean
}

const STANDARD_PATH = '/etc/runbook-agent/agent.yaml'
/** Many times the length of a file with every setting and a comment for each. */
const LONGEST_FILE = 64 * 1024
const NO_VALUE = ['', '~', 'null']
const NAMES = settings.map(({ name }) => name)
const GROUPS = new Set(NAMES.filter((name) => name.includes('.')).map((name) => name.split('.')[0] ?? ''))

/** `--config`, else the variable, else the standard place. */
export function locateFile({ flags, env }: Pick<SettingsSource, 'flags' | 'env'>): Location {
  const { config } = flags
  const { RUNBOOK_AGENT_CONFIG: variable } = env
  if (typeof config === 'string') return { path: config, place: '--config', isRequired: true }
  if (variable) return { path: variable, place: 'RUNBOOK_AGENT_CONFIG', isRequired: true }
  return { path: STANDARD_PATH, place: 'the settings file', isRequired: false }
}

/** Reports wrong names, and a file that cannot be read, in `problems`. */
export function readSettingsFile({ path, place, isRequired }: Location): SettingsFile {
  const folder = dirname(resolve(path))
  try {
    const { bytes } = readSmallFile(path, LONGEST_FILE)
    const { tree, problems } = readTree(decodeUtf8(bytes), path, NO_VALUE)
    return { entries: tree === undefined ? undefined : entriesIn(tree, problems), folder, path, problems }
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    const problems = new Problems(path)
    if (error.isMissing && !isRequired) return { entries: new Map(), folder, path, problems }
    problems.addFrom(place, `the file ${path} ${error.message}`)
    return { entries: undefined, folder, path, problems }
  }
}

function entriesIn(tree: Tree, problems: Problems): ReadonlyMap<string, Tree> {
  const entries = new Map<string, Tree>()
  if (isMap(tree)) for (const [name, value] of leavesOf(tree, [], problems)) entries.set(name, value)
  else if (tree !== null) problems.add([], expected('a map with names of settings')({ input: tree }))
  return entries
}

/** Settings by their dotted names: `output.cap` may be written like this, or in a group `output`. */
function* leavesOf(
  tree: TreeMap,
  group: Path,
  problems: Problems,
  seen = new Set<string>(),
): Generator<[string, Tree]> {
  for (const [key, value] of Object.entries(tree)) {
    const path = [...group, key]
    const name = path.join('.')
    const fault = faultIn(name, value, seen)
    seen.add(name)
    if (fault !== undefined) problems.add(path, ...fault)
    else if (GROUPS.has(name) && isMap(value)) yield* leavesOf(value, path, problems, seen)
    else if (value !== null && NAMES.includes(name)) yield [name, value]
  }
}

function faultIn(
  name: string,
  value: Tree,
  seen: ReadonlySet<string>,
): [message: string, part: 'key' | 'value'] | undefined {
  if (seen.has(name) && NAMES.includes(name)) return ['this name is here already', 'key']
  if (NAMES.includes(name)) return undefined
  if (!GROUPS.has(name)) return [unknownSetting(name, [...NAMES, ...GROUPS]), 'key']
  if (value === null || isMap(value)) return undefined
  const inside = NAMES.filter((member) => member.startsWith(`${name}.`)).join(', ')
  return [expected(`a map with ${inside}`)({ input: value }), 'value']
}

type TreeMap = Readonly<Record<string, Tree>>

function isMap(tree: Tree): tree is TreeMap {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree)
}
