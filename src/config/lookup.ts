import type { ConfigurationProblems } from './problems.ts'
import type { SettingsFile } from './settings-file.ts'
import { type Setting, flagOf, optionOf, variableOf } from './table.ts'

/** Where the settings of one start of the program are. */
export interface SettingsSource {
  /** As commander's `opts()` has them: `outputCap` for `--output-cap`; others than the agent's may be among them. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly env: NodeJS.ProcessEnv
  readonly stderrIsTty: boolean
}

/** What wins over what: the higher, the stronger. */
const RANK = { file: 0, alias: 1, environment: 2, flag: 3 } as const

interface Given {
  readonly from: keyof typeof RANK
  readonly rank: number
  /** The flag, the variable, or `path:line:column`. */
  readonly place: string
}

export interface Found<T> extends Given {
  readonly value: T
}

/** Finds settings by precedence and parses them; what cannot be parsed becomes a problem. */
export class Lookup {
  readonly #source: SettingsSource
  readonly #file: SettingsFile | undefined
  readonly #problems: ConfigurationProblems

  constructor(source: SettingsSource, file: SettingsFile | undefined, problems: ConfigurationProblems) {
    this.#source = source
    this.#file = file
    this.#problems = problems
  }

  /** The setting's value, or its default when it is not given or refused. */
  value<T>(setting: Setting<T> & { readonly default: T }): T {
    return this.find(setting)?.value ?? setting.default
  }

  /** The strongest that is given. The file's is parsed even so: a file with an error in it is refused. */
  find<T>(setting: Setting<T>): Found<T> | undefined {
    const given = [...this.#texts(setting)]
    const parsed = given.map(({ text, ...rest }, i) =>
      i === 0 || rest.from === 'file' ? this.#parse(setting, text, rest) : undefined,
    )
    return parsed[0]
  }

  #parse<T>(setting: Setting<T>, text: string, given: Given): Found<T> | undefined {
    const value = setting.kind.parse(text)
    if (value !== undefined) return { value, ...given }
    this.#problems.add(given.place, `${setting.name} must be ${setting.kind.expected}`)
    return undefined
  }

  /** Strongest first. */
  *#texts(setting: Setting<unknown>): Generator<Given & { readonly text: string }> {
    const { name, aliases = [], isSecret } = setting
    const flag = isSecret === true ? undefined : this.#source.flags[optionOf(name)]
    if (flag !== undefined) yield { from: 'flag', rank: RANK.flag, place: flagOf(name), text: String(flag) }
    const text = this.#source.env[variableOf(name)]
    if (text) yield { from: 'environment', rank: RANK.environment, place: variableOf(name), text }
    for (const alias of aliases) {
      const text = this.#source.env[alias]
      if (text) yield { from: 'alias', rank: RANK.alias, place: alias, text }
    }
    const entry = this.#file?.entries.get(name)
    if (entry !== undefined) yield { from: 'file', rank: RANK.file, ...entry }
  }
}
