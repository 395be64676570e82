import { readAll } from '../../basics/files/small-file.ts'
import { printableJson, printableLine, printableText } from '../../basics/text/printable.ts'
import { compileRegexp } from '../../golang/text/regexp.ts'
import { checkText } from '../../policy/guardrails/compile-rules.ts'
import type { RuleSet, Unjudged, Verdict, Violation } from '../../policy/guardrails/rules.ts'
import { Failure } from '../failure.ts'
import { ANSWERS } from './reading.ts'
import { readCheckedRules } from './checked-rules.ts'

/** Much more than the largest script; output is tried piece by piece. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024

export interface CheckFlags {
  readonly rules: string
  readonly direction: 'input' | 'output'
  readonly json?: boolean
}

/**
 * `runbook-agent policy check`: which guardrail rule stops the text on standard input, by the engine that judges
 * executions.
 * @returns the exit code of this program
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

/** The matched texts; for a pattern, the text that it matched. */
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
  return `rule ${rule} of set ${set} cannot be enforced, so nothing would pass: ${message}`
}

function codeOf({ outcome }: Verdict): number {
  return { pass: ANSWERS.passes, violation: ANSWERS.stopped, error: ANSWERS.none }[outcome]
}
