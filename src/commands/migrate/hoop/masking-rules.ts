import * as v from 'valibot'
import type { Resource } from '../../../client/rest/resources.ts'
import type { ConnectionSettings } from '../../../gateway/settings/settings.ts'
import { idOf, resourceNamed, inNameOrder } from './differences.ts'
import type { Migration, MigrationStep } from './step.ts'
import { storedStep } from './stored.ts'

interface WantedRule {
  readonly rule: Resource
  readonly connections: string[]
}

const Rules = v.array(
  v.object({
    name: v.string(),
    supported_entity_types: v.unknown(),
    score_threshold: v.unknown(),
    custom_entity_types: v.unknown(),
  }),
)

/** Runs after the connections: a rule names them by their ids. */
export function maskingRuleSteps(migration: Migration): MigrationStep[] {
  return [...wantedRules(migration.carried.connections)].map(([name, wanted]) =>
    ruleStep(name, wanted, migration),
  )
}

/** Whether hoop masks a connection already by all of its rules. */
export function isMasked(connection: ConnectionSettings, { present, ids }: Migration): boolean {
  const id = ids.get('connection', connection.name)
  return [...wantedRules([connection]).keys()].every((name) => {
    const masked = inNameOrder(resourceNamed(present.masking, name)?.['connection_ids'])
    return id !== undefined && masked.includes(id)
  })
}

/** The masking rules of the connections, in the form of hoop's interface. */
function wantedRules(connections: readonly ConnectionSettings[]): Map<string, WantedRule> {
  const wanted = new Map<string, WantedRule>()
  for (const { name: connection, masking } of connections) {
    const told = masking?.dataMaskingEntityTypesData
    const rules = told ? v.parse(Rules, JSON.parse(Buffer.from(told).toString())) : []
    for (const rule of rules) {
      const one: WantedRule = wanted.get(rule.name) ?? { rule, connections: [] }
      one.connections.push(connection)
      wanted.set(rule.name, one)
    }
  }
  return wanted
}

function ruleStep(name: string, { rule, connections }: WantedRule, migration: Migration): MigrationStep {
  const { ids } = migration
  const found = resourceNamed(migration.present.masking, name)
  const has = inNameOrder(found?.['connection_ids'])
  const idsOf = () => connections.map((one) => ids.get('connection', one) ?? one)
  const present = found && { ...found, connection_ids: has }
  const wanted = { kind: 'masking rule', path: '/api/datamasking-rules', key: idOf(found) } as const
  const whole = () => ({ connection_ids: [...new Set([...has, ...idsOf()])].toSorted() })
  return storedStep({ ...wanted, name, present, body: { ...rule, ...whole() }, beside: whole }, migration)
}
