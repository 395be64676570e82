import { agentSchema } from '../../config/json-schema.ts'
import { gatewaySchema } from '../../gateway/settings/json-schema.ts'
import type { SettingsKind } from './settings-kind.ts'

/** `runbook-agent config schema`: the JSON schema of a settings file, for editors. */
export function configSchemaCommand(kind: SettingsKind): void {
  process.stdout.write(
    `${JSON.stringify(kind === 'agent' ? agentSchema() : gatewaySchema(), undefined, 2)}\n`,
  )
}
