import type { PrintedSettings } from '../../basics/settings/json-schema.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { jsonOf } from '../../basics/settings/shapes.ts'
import { missingVariables } from '../../gateway/settings/connections.ts'
import { examineSettings } from '../../gateway/settings/load.ts'
import { printGatewaySettings } from '../../gateway/settings/print.ts'
import { scheduleWarnings } from '../../gateway/settings/schedules.ts'
import { SettingsShape } from '../../gateway/settings/schema.ts'
import type { ConnectionSettings } from '../../gateway/settings/settings.ts'
import { Failure } from '../exit-codes.ts'

// What `runbook-agent config` does with a gateway.yaml.

/** @throws Failure if the file cannot be read */
export function printSettingsFile(file: string): PrintedSettings & { readonly problems: readonly string[] } {
  return readingSettings(() => printGatewaySettings(file, process.env))
}

/** @throws Failure if the file cannot be read */
export function checkSettingsFile(file: string): {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
} {
  const { problems, settings, warnings } = readingSettings(() => examineSettings(file, process.env))
  return {
    problems: problems.toLines(),
    warnings: [
      ...warnings,
      ...warningsOf(file, settings?.connections ?? []),
      ...scheduleWarnings(file, settings),
    ],
  }
}

/** Returns the JSON schema. */
export function settingsSchema() {
  return jsonOf(SettingsShape)
}

/** Warns of connections that the gateway accepts, although agents refuse their sessions. */
function warningsOf(file: string, connections: readonly ConnectionSettings[]): readonly string[] {
  return connections.flatMap((connection) => {
    const missing = missingVariables(connection)
    if (missing.length === 0) return []
    const type = [connection.type, connection.subtype].filter((part) => part !== undefined).join(' ')
    const hint = missing.includes('PASS') ? "; if the server needs no password, set PASS: ''" : ''
    return [
      `${file}: connection ${connection.name} of type ${type} needs ${missing.join(', ')} in env or secrets${hint}`,
    ]
  })
}

function readingSettings<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof SettingsError ? new Failure(error.message) : error
  }
}
