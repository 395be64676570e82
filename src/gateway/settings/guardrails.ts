import { resolve } from 'node:path'
import { checkShape, list, map } from '../../basics/settings/shapes.ts'
import { FileRefused } from '../../basics/files/small-file.ts'
import { SettingsError, type Path, type Problems } from '../../basics/settings/problems.ts'
import type { Sources } from '../../basics/settings/references.ts'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import {
  loadOf,
  readRuleFile,
  RULE_LIMITS,
  type RuleFile,
  RuleLoad,
} from '../../policy/guardrails/rule-file.ts'
import type { Rule } from '../../policy/guardrails/rules.ts'
import { RuleShape, type ConnectionShape, type GuardrailShape, type SettingsShape } from './schema.ts'
import type { GuardrailSettings } from './settings.ts'

type Direction = 'input' | 'output'

type Report = (member: string, message: string) => void

/** Maximum size of a file of rules. gateway.yaml has the same maximum. */
const RULE_FILE_BYTES = 1024 * 1024
/** Maximum length of a connection's rules as JSON. They are in the packet that opens each session. */
const RULES_BYTES = 2 * 1024 * 1024

const SetsShape = list(map({ rules: list(RuleShape, 'rules') }), 'sets of rules')

/** Reads and checks all rules, because an agent refuses every session with a rule that it cannot enforce. */
export function buildGuardrails(
  { guardrails: shapes, connections }: SettingsShape,
  sources: Sources,
  problems: Problems,
): GuardrailSettings[] {
  const guardrails = shapes.map((one, i) => buildGuardrail(one, sources, problems, ['guardrails', i]))
  checkRuleLimits(connections, guardrails, problems)
  return guardrails
}

function buildGuardrail(
  shape: GuardrailShape,
  sources: Sources,
  problems: Problems,
  path: Path,
): GuardrailSettings {
  const rules = (direction: Direction): Rule[] => {
    const own = shape[direction].map((rule, at) =>
      buildRule(rule, (member, message) => problems.add([...path, direction, at, member], message)),
    )
    const file = shape[`${direction}-file`]
    if (!file) return own
    const setting = [...path, `${direction}-file`]
    return [...own, ...rulesOf(file, direction, { sources, problems, setting })]
  }
  const [input, output] = [rules('input'), rules('output')]
  if (!shape['input-file'] && !shape['output-file'] && input.length + output.length === 0)
    problems.add(path, 'at least one rule is expected, input or output')
  return { name: shape.name, input, output }
}

/** Reads the rules of a file. Problems name the line in that file. */
function rulesOf(
  name: string,
  direction: Direction,
  {
    sources,
    problems,
    setting,
  }: { readonly sources: Sources; readonly problems: Problems; readonly setting: Path },
): Rule[] {
  const file = resolve(sources.folder, name)
  try {
    const found = readRuleFile(file, direction, RULE_FILE_BYTES)
    sources.noticed?.(file, setting, 'public')
    const rules = checkedRules(found, problems)
    if (rules?.length === 0) problems.add(setting, `this file has no rules for ${direction}`)
    return rules ?? []
  } catch (error) {
    // The value may be a secret that was written here by mistake, so it is not shown.
    if (error instanceof FileRefused)
      problems.add(setting, `the value is read as a path, and this file ${error.message}`)
    else if (error instanceof SettingsError) problems.addOthers(file, error.problems)
    else throw error
    return []
  }
}

/** Returns undefined if the form of the rules is wrong. */
function checkedRules({ sets, pathOf, placeOf }: RuleFile, problems: Problems): Rule[] | undefined {
  const report: Problems['add'] = (path, message, part) =>
    problems.addFrom(placeOf(path, part), message, pathOf(path))
  return checkShape(SetsShape, sets ?? [], report)?.flatMap(({ rules }, set) =>
    rules.map((rule, at) =>
      buildRule(rule, (member, message) => report([set, 'rules', at, member], message)),
    ),
  )
}

function buildRule(shape: RuleShape, report: Report): Rule {
  const { type, words, pattern_regex: pattern, message } = shape
  if (type === 'deny_words_list') checkWords(shape, report)
  else checkPattern(shape, report)
  return { type, words, pattern, message }
}

function checkWords({ words, pattern_regex: pattern }: RuleShape, report: Report): void {
  if (words.length === 0) report('words', 'at least one word is expected')
  if (pattern !== '') report('pattern_regex', 'a rule with words cannot have a pattern; write two rules')
}

function checkPattern({ words, pattern_regex: pattern }: RuleShape, report: Report): void {
  if (words.length > 0) report('words', 'a rule with a pattern cannot have words; write two rules')
  if (pattern === '') return report('pattern_regex', 'a regular expression is expected')
  try {
    compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    report(
      'pattern_regex',
      error.isTooLarge ? `agents cannot enforce this expression: ${error.message}` : NO_RE2,
    )
  }
}

const NO_RE2 = 'a regular expression of RE2 is expected, without look-around and back-references'

/** Checks the limits of the agents: above them, agents refuse every session of the connection. */
function checkRuleLimits(
  connections: readonly ConnectionShape[],
  guardrails: readonly GuardrailSettings[],
  problems: Problems,
): void {
  const costs = guardrails.map(({ name, input, output }) => ({
    name,
    bytes: Buffer.byteLength(JSON.stringify([input, output])),
    input: costOf(input),
    output: costOf(output),
  }))
  connections.forEach(({ guardrails: names }, i) => {
    const own = costs.filter(({ name }) => names.includes(name))
    const refuse = (message: string): void => problems.add(['connections', i, 'guardrails'], message)
    if (own.reduce((sum, { bytes }) => sum + bytes, 0) > RULES_BYTES)
      refuse(`these rules are longer than ${RULES_BYTES} bytes in total, as JSON`)
    for (const direction of ['input', 'output'] as const)
      if (!fits(own.map((one) => one[direction])))
        refuse(
          `the ${direction} rules of these guardrails together exceed the limits of agents: ${RULE_LIMITS}`,
        )
  })
}

interface Cost {
  readonly key: string
  readonly load: RuleLoad
}

function costOf(rules: readonly Rule[]): Cost {
  return { key: JSON.stringify(rules), load: loadOf(rules) }
}

/** Tests if the agent has room for these rules. Like the agent, counts equal sets of rules only once. */
function fits(costs: readonly Cost[]): boolean {
  const total = new RuleLoad()
  for (const load of new Map(costs.map(({ key, load }) => [key, load])).values()) total.addAll(load)
  return total.hasRoom
}
