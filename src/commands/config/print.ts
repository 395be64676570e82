import { existsSync } from 'node:fs'
import { documentJson, type PrintedSetting, type PrintedSettings } from '../../basics/settings/json-schema.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { type AgentConfiguration, loadAgentSettings } from '../../config.ts'
import type { SettingsSource } from '../../config/settings-file.ts'
import { agentSchema, printSettings } from '../../config/print.ts'
import { printGatewaySettings } from '../../gateway/settings/print.ts'
import { exitCodes, Failure } from '../failure.ts'
import { type KindFlags, readingSettings, settingsKind, type SettingsKind } from './settings-kind.ts'
import { jsonOf } from '../../basics/settings/shapes.ts'
import { SettingsShape } from '../../gateway/settings/schema.ts'

/** The flags of `start` and of this command. */
export type ConfigPrintFlags = KindFlags & Readonly<Record<string, string | boolean | undefined>>

type Printed = PrintedSettings & { readonly problems: readonly string[] }

/**
 * `runbook-agent config print`: prints every setting, its value, and its source on stdout.
 * @param file the agent's or a gateway's; without one the agent's, as `start` looks for it
 * @throws Failure, after that, with everything that keeps the program from using them
 */
export function configPrintCommand(file: string | undefined, flags: ConfigPrintFlags): void {
  const printed = isOfGateway(file, flags) ? printGateway(file, flags) : printAgent(file, flags)
  process.stdout.write(flags['json'] === true ? `${JSON.stringify(printed, undefined, 2)}\n` : table(printed))
  if (printed.problems.length > 0) throw new Failure(printed.problems.join('\n'))
}

function isOfGateway(file: string | undefined, flags: ConfigPrintFlags): file is string {
  if (file !== undefined) return settingsKind(file, flags) === 'gateway'
  if (flags.gateway !== true) return false
  throw new Failure('--gateway needs a file: settings of a gateway have no default place', exitCodes.usage)
}

function printGateway(file: string, flags: ConfigPrintFlags): Printed {
  const isOfAgent = Object.keys(flags).some((name) => name !== 'json' && name !== 'gateway')
  if (isOfAgent)
    throw new Failure(`${file} has settings of a gateway, which has no flags for them`, exitCodes.usage)
  return readingSettings(() => printGatewaySettings(file, process.env))
}

function printAgent(file: string | undefined, flags: ConfigPrintFlags): Printed {
  if (file !== undefined && flags['config'] !== undefined)
    throw new Failure(`--config and ${file} exclude each other`, exitCodes.usage)
  const { env, stderr } = process
  const source = {
    flags: file === undefined ? flags : { ...flags, config: file },
    env,
    stderrIsTty: stderr.isTTY,
  }
  const loaded = load(source)
  const isRefused = loaded instanceof SettingsError
  return {
    ...printSettings(source, isRefused ? undefined : loaded.logEncoding),
    problems: isRefused ? loaded.message.split('\n') : [],
  }
}

function load(source: SettingsSource): AgentConfiguration | SettingsError {
  try {
    return loadAgentSettings(source)
  } catch (error) {
    if (error instanceof SettingsError) return error
    throw error
  }
}

/** Three columns, each as wide as its widest text. */
function table({ settings, file }: PrintedSettings): string {
  const rows = settings.map(row)
  const widths = [0, 1].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const from = `settings file: ${file}${existsSync(file) ? '' : ' (not there)'}`
  return [plain(from), ...rows.map((cells) => line(cells, widths))].map((text) => `${text}\n`).join('')
}

function row({ name, value, from, place }: PrintedSetting): string[] {
  const origin = from === 'unset' ? 'not set' : from === 'refused' ? 'refused, see below' : (place ?? from)
  return [name, value ?? '-', origin].map(plain)
}

function line(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
}

function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?')
}

/** `runbook-agent config schema`: the JSON schema of a settings file, for editors. */
export function configSchemaCommand(kind: SettingsKind): void {
  const schema = documentJson(
    `${kind}.yaml of runbook-agent`,
    kind === 'agent' ? agentSchema() : jsonOf(SettingsShape),
  )
  process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`)
}
