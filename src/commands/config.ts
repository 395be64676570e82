import { existsSync } from 'node:fs'
import { decodeUtf8, FileRefused, readSmallFile } from '../basics/files/small-file.ts'
import {
  documentJson,
  type JsonSchema,
  type PrintedSetting,
  type PrintedSettings,
} from '../basics/settings/json-schema.ts'
import { SettingsError } from '../basics/settings/problems.ts'
import { printableJson, printableText } from '../basics/text/printable.ts'
import { type AgentConfiguration, loadAgentSettings, checkAgentFile } from '../config.ts'
import { agentSchema, printSettings } from '../config/print.ts'
import type { SettingsSource } from '../config/settings-file.ts'
import { settings } from '../config/table.ts'
import { exitCodes, Failure } from './exit-codes.ts'
import { examineOwnerRules } from './policy/owner-rules.ts'

export type ConfigPrintFlags = KindFlags & Readonly<Record<string, string | boolean | undefined>>

type Printed = PrintedSettings & { readonly problems: readonly string[] }

/** What is done with a settings file of a gateway. */
interface GatewayFiles {
  readonly printSettingsFile: (file: string) => Printed
  readonly checkSettingsFile: (file: string) => Checked
  readonly settingsSchema: () => JsonSchema
}
/** Loads code of the gateway, which the product of the agent does not have. @throws Failure */
export type LoadGatewayFiles = () => Promise<GatewayFiles>

/**
 * @param file the default is the file that `start` would use
 * @throws Failure with all problems of the settings, after the settings are printed
 */
export async function configPrintCommand(
  file: string | undefined,
  flags: ConfigPrintFlags,
  load: LoadGatewayFiles,
): Promise<void> {
  const printed = isOfGateway(file, flags) ? await printGateway(file, flags, load) : printAgent(file, flags)
  process.stdout.write(flags['json'] === true ? `${JSON.stringify(printed, undefined, 2)}\n` : table(printed))
  if (printed.problems.length > 0) throw new Failure(printed.problems.join('\n'))
}

function isOfGateway(file: string | undefined, flags: ConfigPrintFlags): file is string {
  if (file !== undefined) return settingsKind(file, flags) === 'gateway'
  if (flags.gateway !== true) return false
  throw new Failure('--gateway needs a path: the settings of a gateway have no default file', exitCodes.usage)
}

async function printGateway(file: string, flags: ConfigPrintFlags, load: LoadGatewayFiles): Promise<Printed> {
  const isOfAgent = Object.keys(flags).some((name) => name !== 'json' && name !== 'gateway')
  if (isOfAgent)
    throw new Failure(
      `${file} has the settings of a gateway: omit the options that are settings of an agent`,
      exitCodes.usage,
    )
  return (await load()).printSettingsFile(file)
}

function printAgent(file: string | undefined, flags: ConfigPrintFlags): Printed {
  if (file !== undefined && flags['config'] !== undefined)
    throw new Failure(`use either --config or the argument ${file}, not both`, exitCodes.usage)
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

function table({ settings, file }: PrintedSettings): string {
  const rows = settings.map(row)
  const widths = [0, 1].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const from = `settings file: ${file}${existsSync(file) ? '' : ' (does not exist)'}`
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

/** Prints the schema that editors use. */
export async function configSchemaCommand(kind: SettingsKind, load: LoadGatewayFiles): Promise<void> {
  const schema = documentJson(
    `${kind}.yaml of runbook-agent`,
    kind === 'agent' ? agentSchema() : (await load()).settingsSchema(),
  )
  process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`)
}

export interface ConfigCheckFlags extends KindFlags {
  readonly json?: boolean
}

interface Checked {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Prints one line per problem.
 * @throws Failure if the file cannot be read, or if it is unclear whether it belongs to an agent or a gateway
 */
export async function configCheckCommand(
  file: string,
  flags: ConfigCheckFlags,
  load: LoadGatewayFiles,
): Promise<number> {
  const kind = settingsKind(file, flags)
  const checked = kind === 'agent' ? await checkAgent(file) : (await load()).checkSettingsFile(file)
  const text =
    flags.json === true ? printableJson({ file, kind, ...checked }, 2) : checkedText(file, kind, checked)
  process.stdout.write(`${printableText(text)}\n`)
  return checked.problems.length === 0 ? exitCodes.done : exitCodes.configuration
}

/** Checks the file, and also the rule files that it names. */
async function checkAgent(file: string): Promise<Checked> {
  const { problems, warnings, policy } = checkAgentFile(file, process.env)
  const rules = await examineOwnerRules(policy)
  return { problems: [...problems, ...rules.problems], warnings }
}

function checkedText(file: string, kind: SettingsKind, { problems, warnings }: Checked): string {
  const found = [...problems, ...warnings.map((warning) => `${warning} (warning)`)]
  return [...found, ...(problems.length === 0 ? [`${file}: the ${kind} can use this file`] : [])].join('\n')
}

interface KindFlags {
  readonly agent?: boolean
  readonly gateway?: boolean
}

export type SettingsKind = 'agent' | 'gateway'

/** Bytes. The gateway has the same limit. The agent's limit may be lower. */
const MAX_FILE_BYTES = 1024 * 1024

const OF_AGENT = new Set(settings.map(({ name }) => name.split('.')[0] ?? ''))
/** Also the product of the agent knows these names, because people give it the settings of a gateway. */
export const OF_GATEWAY: ReadonlySet<string> = new Set([
  'agents',
  'connections',
  'guardrails',
  'history',
  'jira',
  'limits',
  'listen',
  'locks',
  'masking',
  'mcp',
  'repositories',
  'schedules',
  'sign-in',
  'state',
  'stop-timeout',
  'users',
  'webhooks',
])

/**
 * Decides by the flags. Without flags, decides by the names in the file that only an agent or only a gateway
 * knows.
 * @throws Failure if neither decides, or the file cannot be read
 */
function settingsKind(file: string, { agent, gateway }: KindFlags): SettingsKind {
  if (agent === true && gateway === true)
    throw new Failure('use either --agent or --gateway, not both', exitCodes.usage)
  const names = namesIn(file)
  if (agent === true || gateway === true) return agent === true ? 'agent' : 'gateway'
  const count = (known: ReadonlySet<string>, others: ReadonlySet<string>): number =>
    names.filter((name) => known.has(name) && !others.has(name)).length
  const lead = count(OF_AGENT, OF_GATEWAY) - count(OF_GATEWAY, OF_AGENT)
  if (lead !== 0) return lead > 0 ? 'agent' : 'gateway'
  throw new Failure(
    `cannot tell whether ${file} is for an agent or a gateway: add --agent or --gateway`,
    exitCodes.usage,
  )
}

/**
 * Returns the names in the file, up to their first dot. Searches the text, because this also works with
 * broken YAML.
 */
function namesIn(file: string): string[] {
  try {
    const text = decodeUtf8(readSmallFile(file, MAX_FILE_BYTES).bytes)
    return [...text.matchAll(/^["']?([a-z-]+)(?:\.[a-z.-]+)?["']?\s*:/gm)].map(([, name = '']) => name)
  } catch (error) {
    if (error instanceof FileRefused) throw new Failure(`${file}: the file ${error.message}`)
    throw error
  }
}
