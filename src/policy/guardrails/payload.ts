import { GuardrailError, type Guardrails, type Rule, type RuleSet } from './rules.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * Reads the field `GuardRailRules` (protocol.md 8.1). As Go does: null is an empty list or text, members that are not
 * known are skipped, and the case of names does not matter.
 */
export function decodeGuardrails(payload: Buffer | undefined): Guardrails {
  if (payload === undefined || payload.length === 0) return { input: [], output: [] }
  const root = members(parsed(payload), 'it')
  return {
    input: withoutEqual(ruleSets(root['input_rules'], 'input_rules')),
    output: withoutEqual(ruleSets(root['output_rules'], 'output_rules')),
  }
}

/** A list `[{"rules":[...]},...]`. @param name what it is called in errors */
export function ruleSets(value: unknown, name: string): RuleSet[] {
  return list(value, name).map((set, index) => {
    const place = `${name}[${index}]`
    const rules = list(members(set, place)['rules'], `${place}.rules`)
    return { rules: rules.map((rule, at) => ruleOf(rule, `${place}.rules[${at}]`)) }
  })
}

function ruleOf(value: unknown, place: string): Rule {
  const { type, words, pattern_regex: pattern, message } = members(value, place)
  return {
    type: text(type, `${place}.type`),
    words: list(words, `${place}.words`).map((word, index) => text(word, `${place}.words[${index}]`)),
    pattern: text(pattern, `${place}.pattern_regex`),
    message: text(message, `${place}.message`),
  }
}

/** The gateway sends a set once for each connection and attribute that it is bound to. */
function withoutEqual(sets: readonly RuleSet[]): RuleSet[] {
  const first = new Map<string, RuleSet>()
  for (const set of sets) {
    const key = JSON.stringify(
      set.rules.map(({ type, words, pattern, message }) => [type, words, pattern, message]),
    )
    if (!first.has(key)) first.set(key, set)
  }
  return [...first.values()]
}

/** The parser's own message quotes the rules. */
function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8')) as unknown
  } catch {
    throw undecodable('it is no JSON')
  }
}

function members(value: unknown, place: string): Members {
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw undecodable(`${place} is no object`, place)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.toLowerCase(), member as unknown]),
  )
}

function list(value: unknown, place: string): readonly unknown[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw undecodable(`${place} is no list`, place)
  return value
}

/** Go puts U+FFFD in place of half a surrogate pair. */
function text(value: unknown, place: string): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') throw undecodable(`${place} is no text`, place)
  return Buffer.from(value).toString()
}

function undecodable(reason: string, place?: string): GuardrailError {
  return new GuardrailError(`unable to decode rules, reason=${reason}`, place)
}
