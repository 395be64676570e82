import { existsSync } from 'node:fs'
import { ConfigError, loadAgentSettings, type AgentConfiguration } from '../config.ts'
import type { SettingsSource } from '../config/lookup.ts'
import { printSettings, type PrintedSetting, type PrintedSettings } from '../config/print.ts'
import { Failure } from './failure.ts'

/** The settings of `start`, and `json`. */
export type ConfigPrintFlags = Readonly<Record<string, string | boolean | undefined>>

/**
 * `runbook-agent config print`: every setting, its value, and where it came from, on stdout.
 * @throws Failure, after that, with everything that keeps `start` from using them
 */
export function configPrintCommand(flags: ConfigPrintFlags): void {
  const { env, stdout, stderr } = process
  const source = { flags, env, stderrIsTty: stderr.isTTY }
  const loaded = load(source)
  const problems = loaded instanceof ConfigError ? loaded.message.split('\n') : []
  const result = printSettings(source, loaded instanceof ConfigError ? undefined : loaded.logEncoding)
  stdout.write(flags['json'] === true ? json(result, problems) : table(result))
  if (problems.length > 0) throw new Failure(problems.join('\n'))
}

function load(source: SettingsSource): AgentConfiguration | ConfigError {
  try {
    return loadAgentSettings(source)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function json(result: PrintedSettings, problems: readonly string[]): string {
  return `${JSON.stringify({ ...result, problems }, undefined, 2)}\n`
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
