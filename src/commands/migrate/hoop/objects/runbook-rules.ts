import type { ConnectionSettings } from '../../../../gateway/settings/settings.ts'
import { runbooksOf } from '../carried.ts'
import { idOf, resourceNamed, inNameOrder } from '../differences.ts'
import type { Migration, MigrationStep } from '../step.ts'
import { storedStep } from './stored.ts'

/** A connection runs the files of one folder of one repository: without such a rule it would run all of them. */
export function runbookRuleSteps(migration: Migration): MigrationStep[] {
  return migration.carried.connections.flatMap((connection) => ruleStep(connection, migration))
}

function ruleStep(connection: ConnectionSettings, migration: Migration): MigrationStep[] {
  const runbooks = runbooksOf(connection, migration.carried)
  if (runbooks === undefined) return []
  const name = `runbooks-${connection.name}`
  const body = {
    name,
    runbooks: [{ repository: runbooks.key, name: runbooks.path }],
    connections: [connection.name],
    user_groups: connection.access.groups?.toSorted() ?? [],
  }
  const found = resourceNamed(migration.present.runbookRules, name)
  const present = found && { ...found, user_groups: inNameOrder(found['user_groups']) }
  const wanted = { kind: 'runbook rule', path: '/api/runbooks/rules', key: idOf(found) } as const
  return [storedStep({ ...wanted, name, present, body }, migration)]
}
