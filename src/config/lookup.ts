import { resolve } from 'node:path'
import * as v from 'valibot'
import { checkShape } from '../basics/settings/check.ts'
import type { Problems } from '../basics/settings/problems.ts'
import { type Reference, referenceOf, resolveReferences } from '../basics/settings/references.ts'
import type { Tree } from '../basics/settings/tree.ts'
import { locateFile, readSettingsFile, type SettingsFile, type SettingsSource } from './settings-file.ts'
import { type Setting, flagOf, optionOf, variableOf } from './table.ts'

/** What wins over what: the higher, the stronger. */
const RANK = { file: 0, alias: 1, environment: 2, flag: 3 } as const

interface Given {
  readonly from: keyof typeof RANK
  readonly rank: number
  /** The flag, the variable, or `path:line:column`. */
  readonly place: string
  /** The value as it is written. */
  readonly written: Tree
  /** Only in the file: where the value really is. */
  readonly reference?: Reference
}

export interface Found<T> extends Given {
  readonly written: string
  readonly value: T
}

/** Finds settings by precedence and checks them. What is refused becomes a problem. */
export class Lookup {
  readonly #source: SettingsSource
  /** For `env://` in the file. */
  readonly #environment: NodeJS.ProcessEnv
  readonly file: SettingsFile
  readonly problems: Problems

  /** Reads the settings file. @param environment where `env://` finds variables, if not in the source */
  constructor(source: SettingsSource, environment = source.env) {
    this.#source = source
    this.#environment = environment
    this.file = readSettingsFile(locateFile(source))
    this.problems = this.file.problems
  }

  /** The setting's value, or its default when it is not given or refused. */
  value<Kind extends v.GenericSchema>(setting: WithDefault<Kind>): v.InferOutput<Kind> {
    return this.find(setting)?.value ?? v.parse(setting.kind, setting.default)
  }

  /** The value that wins. The one in the file is parsed even if another wins: a file with an error in it is refused. */
  find<Kind extends v.GenericSchema>(setting: Setting<Kind>): Found<v.InferOutput<Kind>> | undefined {
    const parsed = [...this.#given(setting)].map((given, i) =>
      i === 0 || given.from === 'file' ? this.#parse(setting, given) : undefined,
    )
    return parsed[0]
  }

  /** Whether anybody set it, to a right or a wrong value. */
  isGiven(setting: Setting): boolean {
    return !this.#given(setting).next().done
  }

  /** The variables that the file names by `env://`. */
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

  /** Strongest first. */
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

/** A list in one line. */
function textOf(written: Tree): string | undefined {
  if (typeof written === 'string') return written
  return Array.isArray(written) ? written.join(', ') : undefined
}

type WithDefault<Kind extends v.GenericSchema> = Setting<Kind> & { readonly default: string }
