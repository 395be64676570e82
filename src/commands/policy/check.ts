import { readAll } from '../../basics/files/small-file.ts'
import { FileRefused } from '../../basics/files/small-file.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { printableJson, printableLine, printableText } from '../../basics/text/printable.ts'
import { compileRegexp } from '../../golang/text/regexp.ts'
import { checkText } from '../../policy/guardrails/compile-rules.ts'
import { ruleSets } from '../../policy/guardrails/payload.ts'
import { readRuleFile, type RuleDirection, type RuleFile } from '../../policy/guardrails/rule-file.ts'
import {
  type RuleSet,
  type Unjudged,
  type Verdict,
  type Violation,
  type RulePlace,
} from '../../policy/guardrails/rules.ts'
import { PolicyError } from '../../policy/policy-error.ts'
import { Failure } from '../exit-codes.ts'

/** The maximum size in bytes. It is much more than the largest script, and agents test output in pieces. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024

export interface CheckFlags {
  readonly rules: string
  readonly direction: 'input' | 'output'
  readonly json?: boolean
}

/**
 * Judges texts with the engine that also judges executions.
 * @returns this program's exit code
 */
export async function checkCommand(flags: CheckFlags): Promise<number> {
  try {
    const { sets, notes } = readCheckedRules(flags.rules, flags.direction)
    for (const note of notes) process.stderr.write(`${printableLine(note)}\n`)
    const text = await standardInput()
    const verdict = await checkText(sets, text)
    return flags.json === true
      ? printJson(verdict, text)
      : printSentence(verdict, text, sets, flags.direction)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (flags.json === true)
      process.stdout.write(`${printableJson({ outcome: 'error', message: error.message })}\n`)
    throw error
  }
}

async function standardInput(): Promise<Buffer> {
  const tooLong = () =>
    new Failure(`the text on standard input is longer than ${MAX_TEXT_BYTES} bytes`, ANSWERS.none)
  return readAll(process.stdin as AsyncIterable<Buffer>, MAX_TEXT_BYTES, tooLong)
}

function printJson(verdict: Verdict, text: Buffer): number {
  process.stdout.write(`${printableJson(answer(verdict, text))}\n`)
  return codeOf(verdict)
}

function answer(verdict: Verdict, text: Buffer): object {
  switch (verdict.outcome) {
    case 'pass':
      return { outcome: verdict.outcome }
    case 'error':
      return { outcome: verdict.outcome, set: verdict.set, rule: verdict.rule, message: verdict.message }
    case 'violation': {
      const { outcome, set, rule, hit } = verdict
      return { outcome, set, rule, matched: matchedTexts(verdict, text), message: hit.message }
    }
  }
}

/** Returns the matched texts. For a pattern, this is the text that the pattern matched. */
function matchedTexts({ hit, matched }: Violation, text: Buffer): readonly string[] {
  if (hit.type !== 'pattern_match') return matched
  const matcher = compileRegexp(hit.pattern).matcher(text)
  return matcher.find() ? [matcher.group() ?? ''] : []
}

function printSentence(verdict: Verdict, text: Buffer, sets: readonly RuleSet[], direction: string): number {
  if (verdict.outcome === 'error')
    process.stderr.write(`runbook-agent: ${printableText(unjudged(verdict))}\n`)
  else process.stdout.write(`${printableText(sentence(verdict, text, sets, direction))}\n`)
  return codeOf(verdict)
}

function sentence(
  verdict: Exclude<Verdict, Unjudged>,
  text: Buffer,
  sets: readonly RuleSet[],
  direction: string,
) {
  if (verdict.outcome === 'pass') {
    const count = sets.reduce((sum, { rules }) => sum + rules.length, 0)
    return `passes: ${count === 1 ? 'the one rule does' : `the ${count} rules do`} not stop this ${direction}`
  }
  const { set, rule, hit } = verdict
  const found = matchedTexts(verdict, text).map((each) => JSON.stringify(each))
  const message = hit.message === '' ? '' : ` (${hit.message})`
  return `stopped by rule ${rule} of set ${set}, ${hit.type}: ${found.join(', ')}${message}`
}

function unjudged({ set, rule, message }: Unjudged): string {
  return `rule ${rule} of set ${set} cannot be enforced, so an agent would stop every text: ${message}`
}

function codeOf({ outcome }: Verdict): number {
  return { pass: ANSWERS.passes, violation: ANSWERS.stopped, error: ANSWERS.none }[outcome]
}

const MEMBERS = ['type', 'words', 'pattern_regex', 'message']

export interface CheckedRules extends Pick<RuleFile, 'hasOthers'> {
  readonly sets: readonly RuleSet[]
  /** Each note names a possible mistake that lets every text pass. */
  readonly notes: readonly string[]
  /** Formats the place as `FILE:LINE:COLUMN`. */
  readonly placeOfRule: (place: RulePlace) => string
}

/**
 * Reads the rules as an agent does.
 * @throws Failure, exit code 2
 */
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
    if (!(error instanceof PolicyError)) throw error
    throw new Failure(`${placeOf(error.path.slice(1))}: ${error.message}`, ANSWERS.none)
  }
}

/** Notes unknown members. A newer gateway may send such members, but in a file they are probably mistakes. */
function notesOn({ sets, placeOf }: RuleFile): string[] {
  return asList(sets).flatMap((set, index) =>
    asList(isMap(set) ? set['rules'] : []).flatMap((rule, at) =>
      unknownMembers(rule).map((member) => {
        const place = placeOf([index, 'rules', at, member], 'key')
        return `${place}: rule ${at} of set ${index}: ${member} is not a member of a rule; the members are ${MEMBERS.join(', ')}`
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

export const ANSWERS = {
  passes: 0,
  stopped: 1,
  /** The rules or the text cannot be read, a rule cannot be enforced, or the arguments are wrong. */
  none: 2,
} as const

/** The maximum size in bytes. A gateway sends less with a session. */
export const POLICY_FILE_BYTES = 16 * 1024 * 1024

/** @throws Failure, exit code 2, if the file cannot be read */
export function readingPolicy<Result>(file: string, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (error instanceof FileRefused) throw new Failure(`${file} ${error.message}`, ANSWERS.none)
    throw error instanceof SettingsError ? new Failure(error.message, ANSWERS.none) : error
  }
}
