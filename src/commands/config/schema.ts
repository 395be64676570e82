import { agentSchema } from '../../config/json-schema.ts'
import { documentJson } from '../../basics/settings/json-schema.ts'
import { jsonOf } from '../../basics/settings/shapes.ts'
import { SettingsShape } from '../../gateway/settings/schema.ts'
import type { SettingsKind } from './settings-kind.ts'

/** `runbook-agent config schema`: the JSON schema of a settings file, for editors. */
export function configSchemaCommand(kind: SettingsKind): void {
  const schema = documentJson(
    `${kind}.yaml of runbook-agent`,
    kind === 'agent' ? agentSchema() : jsonOf(SettingsShape),
  )
  process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`)
}
