import { printableJson, printableText } from '../../basics/text/printable.ts'
import { checkAgentFile } from '../../config.ts'
import { missingVariables } from '../../gateway/settings/connection-type.ts'
import { examineSettings } from '../../gateway/settings/load.ts'
import type { ConnectionSettings } from '../../gateway/settings/settings.ts'
import { exitCodes } from '../failure.ts'
import { examineOwnerRules } from '../policy/owner-rules.ts'
import { readingSettings, settingsKind, type KindFlags, type SettingsKind } from './settings-kind.ts'

export interface ConfigCheckFlags extends KindFlags {
  readonly json?: boolean
}

interface Checked {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * `runbook-agent config check`: prints everything that is wrong in a settings file, one line each.
 * @returns the exit code of this program
 * @throws Failure for a file that cannot be read, or is neither the agent's nor a gateway's
 */
export async function configCheckCommand(file: string, flags: ConfigCheckFlags): Promise<number> {
  const kind = settingsKind(file, flags)
  const checked = kind === 'agent' ? await checkAgent(file) : checkGatewayFile(file)
  const text =
    flags.json === true ? printableJson({ file, kind, ...checked }, 2) : describe(file, kind, checked)
  process.stdout.write(`${printableText(text)}\n`)
  return checked.problems.length === 0 ? exitCodes.done : exitCodes.configuration
}

/** Checks the file and the rule files that it names. */
async function checkAgent(file: string): Promise<Checked> {
  const { problems, warnings, policy } = checkAgentFile(file, process.env)
  const rules = await examineOwnerRules(policy)
  return { problems: [...problems, ...rules.problems], warnings }
}

function checkGatewayFile(file: string): Checked {
  const { problems, settings, warnings } = readingSettings(() => examineSettings(file, process.env))
  return {
    problems: problems.toLines(),
    warnings: [...warnings, ...warningsOf(file, settings?.connections ?? [])],
  }
}

/** Faults that only agents refuse. */
function warningsOf(file: string, connections: readonly ConnectionSettings[]): readonly string[] {
  return connections.flatMap((connection) => {
    const missing = missingVariables(connection)
    if (missing.length === 0) return []
    const type = [connection.type, connection.subtype].filter((part) => part !== undefined).join(' ')
    const hint = missing.includes('PASS') ? "; where the server asks for no password, set PASS: ''" : ''
    return [
      `${file}: connection ${connection.name} of type ${type} needs ${missing.join(', ')} in env or secrets${hint}`,
    ]
  })
}

function describe(file: string, kind: SettingsKind, { problems, warnings }: Checked): string {
  const found = [...problems, ...warnings.map((warning) => `${warning} (a warning)`)]
  return [...found, ...(problems.length === 0 ? [`${file}: the ${kind} can use it`] : [])].join('\n')
}
