import { setImmediate as otherWork } from 'node:timers/promises'

import { goQuote } from '../../golang/text/quote.ts'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import type { Rule, RulePlace, RuleSet, Unjudged, Verdict } from './rules.ts'

/**
 * Judges a whole text: sets in order, rules in order, the first violation or error decides (protocol.md 8.1). A pattern
 * is compiled when it is reached: a broken one behind a violation goes unnoticed, before it nothing passes.
 */
export async function checkText(sets: readonly RuleSet[], text: Buffer): Promise<Verdict> {
  for (const [set, { rules }] of sets.entries()) {
    for (const [rule, hit] of rules.entries()) {
      const verdict = judge(hit, text, { set, rule })
      if (verdict.outcome !== 'pass') return verdict
      await otherWork()
    }
  }
  return { outcome: 'pass' }
}

function judge(rule: Rule, text: Buffer, place: RulePlace): Verdict {
  switch (rule.type) {
    case 'deny_words_list':
      return violation(
        rule,
        place,
        rule.words.filter((word) => word !== '' && text.includes(word)),
      )
    case 'pattern_match':
      return rule.pattern === '' ? { outcome: 'pass' } : search(rule, text, place)
    default:
      return unjudged(place, `unknown rule type ${goQuote(rule.type)}`)
  }
}

function search(rule: Rule, text: Buffer, place: RulePlace): Verdict {
  try {
    return violation(rule, place, compileRegexp(rule.pattern).test(text) ? [rule.pattern] : [])
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return unjudged(place, `failed parsing regex, reason=${error.message}`, NO_RE2)
  }
}

function violation(hit: Rule, place: RulePlace, matched: readonly string[]): Verdict {
  return matched.length === 0 ? { outcome: 'pass' } : { outcome: 'violation', ...place, hit, matched }
}

/** What users of hoop are told; the pattern's own error says more to whoever writes rules (protocol.md 8.1). */
const NO_RE2 = 'guardrail rule has a pattern the local engine cannot compile (RE2)'

function unjudged(place: RulePlace, message: string, closing = message): Unjudged {
  return { outcome: 'error', ...place, message, closing }
}
