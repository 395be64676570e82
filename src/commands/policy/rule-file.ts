import { GuardrailError, type RuleSet } from '../../policy/guardrails/rules.ts'
import { ruleSets } from '../../policy/guardrails/payload.ts'
import { Failure } from '../failure.ts'
import { ANSWERS } from './answers.ts'
import { readStructured } from './structured-file.ts'

const MEMBERS = ['type', 'words', 'pattern_regex', 'message']

interface RuleFile {
  readonly sets: readonly RuleSet[]
  /** What whoever wrote the file should know. */
  readonly notes: readonly string[]
}

/**
 * Reads rules from a file, JSON or YAML: one set `{"rules":[R,...]}`, a list of sets, either in `rules` again, or what a
 * gateway sends, `{"input_rules":[...],"output_rules":[...]}`. Sets are counted as they stand in the file, also equal
 * ones.
 * @throws Failure, exit code 2
 */
export function readRuleFile(file: string, direction: 'input' | 'output'): RuleFile {
  const list = listOf(readStructured(file), direction, file)
  try {
    const sets = ruleSets(list, 'rules')
    return {
      sets,
      notes: [...notesOn(list), ...(sets.length === 0 ? [`${file} has no rules for ${direction}`] : [])],
    }
  } catch (error) {
    if (!(error instanceof GuardrailError)) throw error
    throw new Failure(`${file}: ${error.message}`, ANSWERS.none)
  }
}

/** The list of sets, whichever form the file has. */
function listOf(root: unknown, direction: 'input' | 'output', file: string): unknown {
  if (Array.isArray(root)) return root
  if (!isMap(root))
    throw new Failure(`${file}: a map with rules, or a list of them, is expected`, ANSWERS.none)
  if ('input_rules' in root || 'output_rules' in root) return root[`${direction}_rules`]
  if (!('rules' in root)) {
    throw new Failure(`${file}: rules is missing, and so are input_rules and output_rules`, ANSWERS.none)
  }
  const { rules } = root
  return Array.isArray(rules) && rules.length > 0 && rules.every((each) => isMap(each) && 'rules' in each)
    ? rules
    : [root]
}

/** A gateway's rules may have members of a newer one. In a file that a person wrote they are slips of the pen. */
function notesOn(list: unknown): string[] {
  return asList(list).flatMap((set, index) =>
    asList(isMap(set) ? set['rules'] : []).flatMap((rule, at) =>
      notesOnRule(rule, `rule ${at} of set ${index}`),
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
