import { compileRules } from './compile-rules.ts'
import type { RuleSet, Verdict } from './rules.ts'

/**
 * Judges a whole text: sets in order, rules in order, the first violation or error decides (protocol.md 8.1). A broken
 * rule behind a violation goes unnoticed, before it nothing passes.
 */
export async function checkText(sets: readonly RuleSet[], text: Buffer): Promise<Verdict> {
  return (await compileRules(sets)).check(text)
}
