import path from 'node:path'
import type { Violation } from '../../policy/guardrails/rules.ts'
import type { GuardrailInfo } from '../../wire/messages/guardrails-info.ts'

/** A rule that a session has broken. Nothing in it is from the script or the output. */
export interface Blocked {
  /** Which rule, for journal, metrics and log: `input_rules[0].rules[1] deny_words_list`. */
  readonly rule: string
  /** What the gateway is told. */
  readonly info: GuardrailInfo
}

/** hoop's words: people, and programs that read outputs, know the beginning. */
const BLOCKED_BY = 'Blocked by the following Hoop Guardrails Rules: '

export function blockedBy(violation: Violation, direction: GuardrailInfo['direction']): Blocked {
  const { set, rule, hit, matched } = violation
  const { type, words, pattern, message, source } = hit
  if (source !== undefined) return blockedByOwner({ type, message, source }, direction)
  return {
    rule: `${direction}_rules[${set}].rules[${rule}] ${type}`,
    // Words and patterns of the rule itself, as the reference has them (protocol.md 8.1).
    info: { ruleName: '', type, words, pattern, direction, matchedWords: matched, message },
  }
}

/** The gateway's people are told that there is such a rule and its message, not what the owner looks for. */
function blockedByOwner(
  { type, message, source }: { readonly type: string; readonly message: string; readonly source: string },
  direction: GuardrailInfo['direction'],
): Blocked {
  const ruleName = `owner of the server, ${path.basename(source)}`
  return {
    rule: `owner of the server, ${source} ${type}`,
    info: { ruleName, type, words: [], pattern: '', direction, matchedWords: [], message },
  }
}

/** What the user reads. hoop's agent says the name of the rule, which it may not know either. */
export function blockedLine({ rule, info: { ruleName, message } }: Blocked): string {
  const named = [ruleName, message].filter((text) => text !== '').join(': ')
  return `${BLOCKED_BY}${named === '' ? rule : named}\n`
}
