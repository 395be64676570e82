import { formatPath, type Path } from '../../basics/settings/problems.ts'
import { PolicyError } from '../policy-error.ts'
import { type Guardrails, type Rule, type RuleSet } from './rules.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * Reads `GuardRailRules` as Go does (protocol.md 8.1): null counts as empty, unknown members are ignored, and
 * names match in any case.
 */
export function decodeGuardrails(payload: Buffer | undefined): Guardrails {
  if (payload === undefined || payload.length === 0) return { input: [], output: [] }
  const root = members(parsed(payload), [])
  return {
    input: withoutEqual(ruleSets(root['input_rules'], 'input_rules')),
    output: withoutEqual(ruleSets(root['output_rules'], 'output_rules')),
  }
}

/** Reads `[{"rules":[...]},...]`; `name` is the list's name in errors. */
export function ruleSets(value: unknown, name: string): RuleSet[] {
  return list(value, [name]).map((set, index) => {
    const path = [name, index]
    const rules = list(members(set, path)['rules'], [...path, 'rules'])
    return { rules: rules.map((rule, at) => ruleOf(rule, [...path, 'rules', at])) }
  })
}

function ruleOf(value: unknown, path: Path): Rule {
  const { type, words, pattern_regex: pattern, message } = members(value, path)
  return {
    type: text(type, [...path, 'type']),
    words: list(words, [...path, 'words']).map((word, index) => text(word, [...path, 'words', index])),
    pattern: text(pattern, [...path, 'pattern_regex']),
    message: text(message, [...path, 'message']),
  }
}

/** Removes duplicates: the gateway repeats a set that is bound to several attributes or connections. */
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

/** Hides the parser's message, which quotes the rules. */
function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8')) as unknown
  } catch {
    throw undecodable([], 'is not JSON')
  }
}

function members(value: unknown, path: Path): Members {
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw undecodable(path, 'is not an object')
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.toLowerCase(), member as unknown]),
  )
}

function list(value: unknown, path: Path): readonly unknown[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw undecodable(path, 'is not a list')
  return value
}

/** Returns the text with U+FFFD for half a surrogate pair, as Go does. */
function text(value: unknown, path: Path): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') throw undecodable(path, 'is not a string')
  return Buffer.from(value).toString()
}

function undecodable(path: Path, reason: string): PolicyError {
  const what = path.length === 0 ? 'it' : formatPath(path)
  return new PolicyError(`unable to decode rules, reason=${what} ${reason}`, path)
}
