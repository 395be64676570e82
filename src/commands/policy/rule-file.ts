import type { Path } from '../../basics/settings/problems.ts'
import { GuardrailError, type RulePlace, type RuleSet } from '../../policy/guardrails/rules.ts'
import { ruleSets } from '../../policy/guardrails/payload.ts'
import { Failure } from '../failure.ts'
import { ANSWERS } from './answers.ts'
import { readStructured } from './structured-file.ts'

const MEMBERS = ['type', 'words', 'pattern_regex', 'message']

export interface RuleFile {
  readonly sets: readonly RuleSet[]
  /** What whoever wrote the file should know: each may be a slip of the pen that lets everything pass. */
  readonly notes: readonly RuleNote[]
  /** `file:line:column` of a rule. */
  readonly placeOf: (place: RulePlace) => string
  /** Whether it has rules for the other direction as well. */
  readonly hasOthers: boolean
}

interface RuleNote {
  /** `file:line:column`. */
  readonly place: string
  readonly text: string
}

export type Direction = 'input' | 'output'

/**
 * Reads rules from a file, JSON or YAML: one set `{"rules":[R,...]}`, a list of sets, either in `rules` again, or what a
 * gateway sends, `{"input_rules":[...],"output_rules":[...]}`. Sets are counted as they stand in the file, also equal
 * ones.
 * @throws Failure, exit code 2
 */
export function readRuleFile(file: string, direction: Direction): RuleFile {
  const { root, placeOf } = readStructured(file)
  const { list, pathOf } = listOf(root, direction, file)
  const placeOfRule = ({ set, rule }: RulePlace) => placeOf([...pathOf(set), 'rules', rule])
  const other = direction === 'input' ? 'output_rules' : 'input_rules'
  try {
    const sets = ruleSets(list, 'rules')
    const notes = sets.length === 0 ? [{ place: file, text: `${file} has no rules for ${direction}` }] : []
    return {
      sets,
      notes: [...notesOn(list, placeOfRule), ...notes],
      placeOf: placeOfRule,
      hasOthers: isMap(root) && asList(root[other]).length > 0,
    }
  } catch (error) {
    if (!(error instanceof GuardrailError)) throw error
    throw new Failure(`${placeOf(pathIn(error.place, pathOf))}: ${error.message}`, ANSWERS.none)
  }
}

/** The list of sets, whichever form the file has, and where in the file each of them is. */
interface Sets {
  readonly list: unknown
  readonly pathOf: (set: number) => Path
}

function listOf(root: unknown, direction: Direction, file: string): Sets {
  if (Array.isArray(root)) return { list: root, pathOf: (set) => [set] }
  if (!isMap(root))
    throw new Failure(`${file}: a map with rules, or a list of them, is expected`, ANSWERS.none)
  if ('input_rules' in root || 'output_rules' in root) {
    const name = `${direction}_rules`
    return { list: root[name], pathOf: (set) => [name, set] }
  }
  if (!('rules' in root)) {
    throw new Failure(`${file}: rules is missing, and so are input_rules and output_rules`, ANSWERS.none)
  }
  const { rules } = root
  return Array.isArray(rules) && rules.length > 0 && rules.every((each) => isMap(each) && 'rules' in each)
    ? { list: rules, pathOf: (set) => ['rules', set] }
    : { list: [root], pathOf: () => [] }
}

/** @param place as `ruleSets` has it: `rules[0].rules[1].words` */
function pathIn(place: string, pathOf: Sets['pathOf']): Path {
  const [, set = 0, ...rest] = (place.match(/[^.[\]]+/g) ?? []).map((part) =>
    /^\d+$/.test(part) ? Number(part) : part,
  )
  return [...pathOf(Number(set)), ...rest]
}

/** A gateway's rules may have members of a newer one. In a file that a person wrote they are slips of the pen. */
function notesOn(list: unknown, placeOf: RuleFile['placeOf']): RuleNote[] {
  return asList(list).flatMap((each, set) =>
    asList(isMap(each) ? each['rules'] : []).flatMap((rule, at) =>
      notesOnRule(rule, `rule ${at} of set ${set}`).map((text) => ({
        place: placeOf({ set, rule: at }),
        text,
      })),
    ),
  )
}

function notesOnRule(rule: unknown, name: string): string[] {
  if (!isMap(rule)) return []
  const unknown = Object.keys(rule).filter((member) => !MEMBERS.includes(member.toLowerCase()))
  return unknown.map((member) => `${name}: ${member} means nothing here; known are ${MEMBERS.join(', ')}`)
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
