import { objectionToWriters } from '../../basics/files/private-path.ts'
import type { OwnerRules } from '../../agent/policy/owner-policy.ts'
import type { PolicySettings } from '../../config/policy.ts'
import type { CompiledRules } from '../../policy/guardrails/compile-rules.ts'
import type { RuleDirection } from '../../policy/guardrails/rule-file.ts'
import type { Rule, RuleSet } from '../../policy/guardrails/rules.ts'
import { Failure } from '../exit-codes.ts'
import { readCheckedRules, type CheckedRules } from './check.ts'

/** `problems` has one line per problem. */
interface ExaminedRules {
  readonly rules: OwnerRules
  readonly problems: readonly string[]
}

/** Never rejects because of a file's content: such errors become problems. */
export async function examineOwnerRules(policy: PolicySettings | undefined): Promise<ExaminedRules> {
  const { inputRules: inputs = [], outputRules: outputs = [] } = policy ?? {}
  const input = await examined('input', inputs, outputs)
  const output = await examined('output', outputs, inputs)
  return {
    rules: { input: input.compiled, output: output.compiled, outputSets: output.sets },
    problems: [...input.problems, ...output.problems],
  }
}

interface Examined {
  readonly sets: readonly RuleSet[]
  readonly compiled: CompiledRules | undefined
  readonly problems: readonly string[]
}

/** @param others the files for the opposite direction */
async function examined(
  direction: RuleDirection,
  files: readonly string[],
  others: readonly string[],
): Promise<Examined> {
  const problems: string[] = []
  const sets = files.flatMap((file) => {
    const read = readOwners(file, direction, problems)
    if (read?.hasOthers === true && !others.includes(file)) problems.push(unused(file, direction))
    return read === undefined ? [] : withSources(read, problems)
  })
  if (sets.every(({ rules }) => rules.length === 0)) return { sets, compiled: undefined, problems }
  // Loaded only here, because most agents have no rules.
  const { compileRules } = await import('../../policy/guardrails/compile-rules.ts')
  const compiled = await compileRules(sets)
  const { broken } = compiled
  if (broken !== undefined)
    problems.push(
      `${sets[broken.set]?.rules[broken.rule]?.source}: this rule cannot be enforced: ${broken.message}`,
    )
  return { sets, compiled, problems }
}

/**
 * Reads a rule file. Adds a problem if other users can write to it. If the file cannot be read, adds a
 * problem and returns undefined.
 */
function readOwners(file: string, direction: RuleDirection, problems: string[]): CheckedRules | undefined {
  try {
    const read = readCheckedRules(file, direction)
    const objection = objectionToWriters(file)
    if (objection !== undefined) problems.push(`${file} ${objection}`)
    problems.push(...read.notes)
    return read
  } catch (error) {
    if (error instanceof Failure) problems.push(...error.message.split('\n'))
    else problems.push(`${file}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`)
    return undefined
  }
}

function unused(file: string, direction: RuleDirection): string {
  const other = direction === 'input' ? 'output' : 'input'
  return `${file} also has ${other}_rules, which the agent does not enforce: name the file in policy.${other}-rules, too, or remove these rules`
}

/** Adds to each rule its place, for messages. Adds a problem for each rule without effect. */
function withSources({ sets, placeOfRule }: CheckedRules, problems: string[]): RuleSet[] {
  return sets.map(({ rules }, set) => ({
    rules: rules.map((each, rule) => {
      const place = placeOfRule({ set, rule })
      if (stopsNothing(each))
        problems.push(
          `${place}: this rule stops no text: a deny_words_list needs words, and a pattern_match needs a pattern_regex`,
        )
      return { ...each, source: place.replace(/:\d+$/, '') }
    }),
  }))
}

function stopsNothing({ type, words, pattern }: Rule): boolean {
  if (type === 'deny_words_list') return words.every((word) => word === '')
  return type === 'pattern_match' && pattern === ''
}
