import { ruleSets } from '../../policy/guardrails/payload.ts'
import { readRuleFile, type RuleDirection, type RuleFile } from '../../policy/guardrails/rule-file.ts'
import { GuardrailError, type RulePlace, type RuleSet } from '../../policy/guardrails/rules.ts'
import { Failure } from '../failure.ts'
import { ANSWERS, POLICY_FILE_BYTES, readingPolicy } from './reading.ts'

const MEMBERS = ['type', 'words', 'pattern_regex', 'message']

export interface CheckedRules extends Pick<RuleFile, 'hasOthers'> {
  readonly sets: readonly RuleSet[]
  /** Notes for the author of the file: each may be a slip that lets everything pass. */
  readonly notes: readonly string[]
  /** `FILE:LINE:COLUMN` of a rule. */
  readonly placeOfRule: (place: RulePlace) => string
}

/** The rules of a file, as an agent reads them. @throws Failure, exit code 2 */
export function readCheckedRules(file: string, direction: RuleDirection): CheckedRules {
  const found = readingPolicy(file, () => readRuleFile(file, direction, POLICY_FILE_BYTES))
  const sets = decoded(found)
  return {
    sets,
    hasOthers: found.hasOthers,
    placeOfRule: ({ set, rule }) => found.placeOf([set, 'rules', rule]),
    notes: [...notesOn(found), ...(sets.length === 0 ? [`${file} has no rules for ${direction}`] : [])],
  }
}

function decoded({ sets, placeOf }: RuleFile): readonly RuleSet[] {
  try {
    return ruleSets(sets, 'rules')
  } catch (error) {
    if (!(error instanceof GuardrailError)) throw error
    throw new Failure(`${placeOf(error.path.slice(1))}: ${error.message}`, ANSWERS.none)
  }
}

/** Names unknown members. A gateway's rules may have members of a newer gateway; in a file they are probably slips. */
function notesOn({ sets, placeOf }: RuleFile): string[] {
  return asList(sets).flatMap((set, index) =>
    asList(isMap(set) ? set['rules'] : []).flatMap((rule, at) =>
      unknownMembers(rule).map((member) => {
        const place = placeOf([index, 'rules', at, member], 'key')
        return `${place}: rule ${at} of set ${index}: ${member} means nothing here; known are ${MEMBERS.join(', ')}`
      }),
    ),
  )
}

function unknownMembers(rule: unknown): string[] {
  return isMap(rule) ? Object.keys(rule).filter((member) => !MEMBERS.includes(member.toLowerCase())) : []
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
