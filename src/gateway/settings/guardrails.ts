import type { Path, Problems } from '../../basics/settings/problems.ts'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import type { Rule } from '../../policy/guardrails/rules.ts'
import type { GuardrailShape } from './schema.ts'
import type { GuardrailSettings } from './settings.ts'

type RuleShape = GuardrailShape['input'][number]

/** Rules of gateway.yaml, each checked: an agent would refuse every session over a rule that it cannot enforce. */
export function buildGuardrail(shape: GuardrailShape, problems: Problems, path: Path): GuardrailSettings {
  const { name, input, output } = shape
  if (input.length + output.length === 0) problems.add(path, 'at least one rule is expected, input or output')
  const built = (rules: readonly RuleShape[], list: string) =>
    rules.map((rule, at) => buildRule(rule, problems, [...path, list, at]))
  return { name, input: built(input, 'input'), output: built(output, 'output') }
}

function buildRule(shape: RuleShape, problems: Problems, path: Path): Rule {
  const { type, words, pattern_regex: pattern, message } = shape
  if (type === 'deny_words_list') checkWords(shape, problems, path)
  else checkPattern(shape, problems, path)
  return { type, words, pattern, message }
}

function checkWords({ words, pattern_regex: pattern }: RuleShape, problems: Problems, path: Path): void {
  if (words.length === 0) problems.add([...path, 'words'], 'at least one word is expected')
  if (pattern !== '')
    problems.add([...path, 'pattern_regex'], 'a rule of words has no pattern: make it two rules')
}

function checkPattern({ words, pattern_regex: pattern }: RuleShape, problems: Problems, path: Path): void {
  if (words.length > 0)
    problems.add([...path, 'words'], 'a rule of a pattern has no words: make it two rules')
  if (pattern === '') return problems.add([...path, 'pattern_regex'], 'a regular expression is expected')
  try {
    compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    problems.add(
      [...path, 'pattern_regex'],
      'a regular expression of RE2 is expected, without look-around and back-references',
    )
  }
}
