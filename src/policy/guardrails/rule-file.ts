import { SettingsError, type Path, type Problems } from '../../basics/settings/problems.ts'
import { readStructuredFile } from '../../basics/settings/structured-file.ts'

/** Rules from a file, not yet checked. */
export interface RuleFile {
  /** A list of sets `{"rules":[R,...]}`, unless the file says something else in its place. Nullish: there is none. */
  readonly sets: unknown
  /** Where something of the list is in the file: `[0, 'rules', 1]` is the second rule of the first set. */
  readonly pathOf: (path: Path) => Path
  /** `FILE:LINE:COLUMN` of the same. */
  readonly placeOf: Problems['placeOf']
  /** Whether there are rules for the other direction as well. */
  readonly hasOthers: boolean
}

export type RuleDirection = 'input' | 'output'

/**
 * Reads rules from a file, JSON or YAML: one set `{"rules":[R,...]}`, a list of sets, either in `rules` again, or what a
 * gateway sends, `{"input_rules":[...],"output_rules":[...]}`. Sets are counted as they stand in the file, also equal
 * ones.
 * @throws FileRefused, and SettingsError for a file of no such form
 */
export function readRuleFile(file: string, direction: RuleDirection, maxBytes: number): RuleFile {
  const { value, placeOf } = readStructuredFile(file, maxBytes)
  const { sets, pathOf } = setsIn(value, direction, (message) => {
    throw new SettingsError(file, [{ place: placeOf([]), path: '', message }])
  })
  const others = isMap(value) ? value[direction === 'input' ? 'output_rules' : 'input_rules'] : []
  return {
    sets,
    pathOf,
    placeOf: (path, part) => placeOf(pathOf(path), part),
    hasOthers: Array.isArray(others) && others.length > 0,
  }
}

/** The list of sets, whichever form the file has. */
function setsIn(
  root: unknown,
  direction: RuleDirection,
  refuse: (message: string) => never,
): Pick<RuleFile, 'sets' | 'pathOf'> {
  if (Array.isArray(root)) return { sets: root, pathOf: (path) => path }
  if (!isMap(root)) return refuse('a map with rules, or a list of them, is expected')
  if ('input_rules' in root || 'output_rules' in root) return within(root, `${direction}_rules`)
  if (!('rules' in root)) return refuse('rules is missing, and so are input_rules and output_rules')
  const { rules } = root
  const areSets =
    Array.isArray(rules) && rules.length > 0 && rules.every((each) => isMap(each) && 'rules' in each)
  return areSets ? within(root, 'rules') : { sets: [root], pathOf: (path) => path.slice(1) }
}

function within(root: Readonly<Record<string, unknown>>, name: string): Pick<RuleFile, 'sets' | 'pathOf'> {
  return { sets: root[name], pathOf: (path) => [name, ...path] }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
