import type { Rule } from '../../../../policy/guardrails/rules.ts'
import { idOf, resourceNamed } from '../differences.ts'
import type { Migration, MigrationStep } from '../step.ts'
import { storedStep } from './stored.ts'

export function guardrailSteps(migration: Migration): MigrationStep[] {
  return migration.settings.guardrails.map(({ name, input, output }) => {
    const present = resourceNamed(migration.present.guardrails, name)
    const body = { name, input: { rules: input.map(ruleJson) }, output: { rules: output.map(ruleJson) } }
    const wanted = { kind: 'guardrail', path: '/api/guardrails', key: idOf(present) } as const
    return storedStep({ ...wanted, name, present, body }, migration)
  })
}

function ruleJson({ type, words, pattern, message }: Rule): object {
  return { type, words, pattern_regex: pattern, message }
}
