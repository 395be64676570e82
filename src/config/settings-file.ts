import { dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { decodeUtf8, FileRefused, readSmallFile } from '../basics/files/small-file.ts'
import { type Path, Problems } from '../basics/settings/problems.ts'
import { type Reference, referenceOf, resolveReferences } from '../basics/settings/references.ts'
import { checkShape, expected, unknownSetting } from '../basics/settings/shapes.ts'
import { readTree, type Tree } from '../basics/settings/tree.ts'
import { flagOf, optionOf, type Setting, settings, variableOf } from './table.ts'

interface SettingsFile {
  /** Undefined when the file cannot be read. */
  readonly entries: ReadonlyMap<string, Tree> | undefined
  /** Relative paths in the file start here. */
  readonly folder: string
  readonly path: string
  readonly problems: Problems
}

export interface SettingsSource {
  /**
   * Flags by commander's names, for example `outputCap` for `--output-cap`. They may include flags of other
   * commands.
   */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly env: NodeJS.ProcessEnv
  readonly stderrIsTty: boolean
}

export interface Location {
  readonly path: string
  /** The flag or variable that gave the path, for errors. */
  readonly place: string
  /** Whether a missing file is an error. */
  readonly isRequired: boolean
}

const STANDARD_PATH = '/etc/runbook-agent/agent.yaml'
/** Maximum size of the file in bytes. A file with all settings and comments is many times smaller. */
const MAX_FILE_BYTES = 64 * 1024
const NO_VALUE = ['', '~', 'null']
const NAMES = settings.map(({ name }) => name)
const GROUPS = new Set(NAMES.filter((name) => name.includes('.')).map((name) => name.split('.')[0] ?? ''))

export function locateFile({ flags, env }: Pick<SettingsSource, 'flags' | 'env'>): Location {
  const { config } = flags
  const { RUNBOOK_AGENT_CONFIG: variable } = env
  if (typeof config === 'string') return { path: config, place: '--config', isRequired: true }
  if (variable) return { path: variable, place: 'RUNBOOK_AGENT_CONFIG', isRequired: true }
  return { path: STANDARD_PATH, place: 'the settings file', isRequired: false }
}

/** Reads the file. Unknown names and an unreadable file become `problems`. */
export function readSettingsFile({ path, place, isRequired }: Location): SettingsFile {
  const folder = dirname(resolve(path))
  try {
    const { bytes } = readSmallFile(path, MAX_FILE_BYTES)
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
  if (isMap(tree)) for (const [name, value] of walkLeaves(tree, [], problems)) entries.set(name, value)
  else if (tree !== null) problems.add([], expected('a map with names of settings')({ input: tree }))
  return entries
}

/**
 * Yields settings by their dotted names. The file may have `output.cap` under this name, or as member `cap`
 * of a group `output`.
 */
function* walkLeaves(
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
    else if (GROUPS.has(name) && isMap(value)) yield* walkLeaves(value, path, problems, seen)
    else if (value !== null && NAMES.includes(name)) yield [name, value]
  }
}

function faultIn(
  name: string,
  value: Tree,
  seen: ReadonlySet<string>,
): [message: string, part: 'key' | 'value'] | undefined {
  if (seen.has(name) && NAMES.includes(name)) return ['this name is used twice', 'key']
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

/** If several places have a value, the place with the highest number wins. */
const RANK = { file: 0, alias: 1, environment: 2, flag: 3 } as const

interface Given {
  readonly from: keyof typeof RANK
  readonly rank: number
  /** The place of the value: the flag, the variable, or `path:line:column`. */
  readonly place: string
  readonly written: Tree
  /** Set if the value in the file is a reference. */
  readonly reference?: Reference
}

export interface Found<T> extends Given {
  readonly written: string
  readonly value: T
}

/** Finds settings by precedence and checks them. A refused value adds a problem. */
export class Lookup {
  readonly #source: SettingsSource
  /** The variables to which `env://` in the file refers. */
  readonly #environment: NodeJS.ProcessEnv
  readonly file: SettingsFile
  readonly problems: Problems

  /** @param environment the variables to which `env://` refers */
  constructor(source: SettingsSource, environment = source.env) {
    this.#source = source
    this.#environment = environment
    this.file = readSettingsFile(locateFile(source))
    this.problems = this.file.problems
  }

  /** Returns the default when no value is given or the value is refused. */
  value<Kind extends v.GenericSchema>(setting: WithDefault<Kind>): v.InferOutput<Kind> {
    return this.find(setting)?.value ?? v.parse(setting.kind, setting.default)
  }

  /**
   * Returns the value with the highest precedence. The value in the file is checked even if another value
   * wins, because a file with an error is refused.
   */
  find<Kind extends v.GenericSchema>(setting: Setting<Kind>): Found<v.InferOutput<Kind>> | undefined {
    const parsed = [...this.#given(setting)].map((given, i) =>
      i === 0 || given.from === 'file' ? this.#parse(setting, given) : undefined,
    )
    return parsed[0]
  }

  /** Returns whether the setting has a value, valid or not. */
  isGiven(setting: Setting): boolean {
    return !this.#given(setting).next().done
  }

  /** The variables that the file names with `env://`. */
  get referencedVariables(): readonly string[] {
    const values = [...(this.file.entries?.values() ?? [])]
    return values.flat().flatMap((value) => {
      const reference = typeof value === 'string' ? referenceOf(value, '') : undefined
      return reference?.kind === 'variable' ? [reference.name] : []
    })
  }

  /** Relative paths in the settings file start in its folder, others in the working folder. */
  pathIn({ from, value }: Pick<Found<string>, 'from' | 'value'>): string {
    return resolve(from === 'file' ? this.file.folder : '.', value)
  }

  #parse<Kind extends v.GenericSchema>(
    { name, kind }: Setting<Kind>,
    given: Given,
  ): Found<v.InferOutput<Kind>> | undefined {
    const value = checkShape(kind, this.#resolved(name, given), (_, message) => {
      if (given.from === 'file') this.problems.add([name], message)
      else this.problems.addFrom(given.place, message, [name])
    })
    const written = textOf(given.written)
    return value === undefined || written === undefined ? undefined : { ...given, written, value }
  }

  #resolved(name: string, { from, written }: Given): Tree {
    if (from !== 'file') return written
    const sources = { folder: this.file.folder, env: this.#environment }
    return resolveReferences(written, sources, this.problems, { path: [name] })
  }

  /** Yields the values, highest precedence first. */
  *#given(setting: Setting): Generator<Given> {
    const { name, aliases = [], isSecret } = setting
    const flag = isSecret === true ? undefined : this.#source.flags[optionOf(name)]
    if (flag !== undefined)
      yield { from: 'flag', rank: RANK.flag, place: flagOf(name), written: String(flag) }
    for (const [from, variables] of [
      ['environment', [variableOf(name)]],
      ['alias', aliases],
    ] as const)
      for (const variable of variables) {
        const written = this.#source.env[variable]
        if (written) yield { from, rank: RANK[from], place: variable, written }
      }
    const written = this.file.entries?.get(name)
    if (written !== undefined) yield this.#inFile(name, written)
  }

  #inFile(name: string, written: Tree): Given {
    const reference = typeof written === 'string' ? referenceOf(written, this.file.folder) : undefined
    const place = this.problems.placeOf([name])
    return { from: 'file', rank: RANK.file, place, written, ...(reference && { reference }) }
  }
}

function textOf(written: Tree): string | undefined {
  if (typeof written === 'string') return written
  return Array.isArray(written) ? written.join(', ') : undefined
}

type WithDefault<Kind extends v.GenericSchema> = Setting<Kind> & { readonly default: string }
