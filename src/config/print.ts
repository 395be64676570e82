import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '../basics/secret.ts'
import type { PrintedSetting, PrintedSettings } from '../basics/settings/printed.ts'
import { durationKind, pem, sizeKind, type Kind } from './kinds.ts'
import { Lookup, type Found, type SettingsSource } from './lookup.ts'
import { ConfigurationProblems } from './problems.ts'
import { locateFile, readSettingsFile, type Location } from './settings-file.ts'
import { stateFolder } from './state-folder.ts'
import { SETTINGS, settings, type Setting } from './table.ts'

/**
 * Every setting of the table, in its order. What is wrong with them `loadAgentSettings` says.
 * @param logEncoding what it made of that setting, whose default is a rule
 */
export function printSettings(source: SettingsSource, logEncoding: string | undefined): PrintedSettings {
  const location = locationOf(source)
  const problems = new ConfigurationProblems()
  const lookup = new Lookup(source, readSettingsFile(location, problems), problems)
  const print = (setting: Setting<unknown>): PrintedSetting => {
    const before = problems.count
    const found = lookup.find(setting)
    if (found !== undefined) return given(setting, found)
    if (problems.count > before) return { name: setting.name, value: null, from: 'refused', place: null }
    return bySystemd(setting, lookup, source) ?? byDefault(setting, source, logEncoding)
  }
  return { file: location.path, settings: settings.map(print) }
}

function locationOf({ flags, env }: SettingsSource): Location {
  const flag = typeof flags['config'] === 'string' ? flags['config'] : undefined
  return locateFile(flag, env['RUNBOOK_AGENT_CONFIG'])
}

const SYSTEMD = new Map<Setting<unknown>, string>([
  [SETTINGS.keyFile, 'CREDENTIALS_DIRECTORY'],
  [SETTINGS.runtimeDir, 'RUNTIME_DIRECTORY'],
  [SETTINGS.stateDir, 'STATE_DIRECTORY'],
])

const FROM = { flag: 'flag', environment: 'variable', alias: 'variable', file: 'file' } as const

function given({ name, kind, isSecret }: Setting<unknown>, found: Found<unknown>): PrintedSetting {
  const value = isSecret === true ? '<set>' : printed(kind, found.value)
  return { name, value, from: FROM[found.from], place: found.place }
}

/** Three settings follow what systemd has prepared for the service. */
function bySystemd(
  setting: Setting<unknown>,
  lookup: Lookup,
  { env }: SettingsSource,
): PrintedSetting | undefined {
  const variable = SYSTEMD.get(setting) ?? ''
  const [folder] = (env[variable] ?? '').split(':')
  if (!folder) return undefined
  const isKey = setting === SETTINGS.keyFile
  const value = isKey ? join(folder, 'hoop-key') : folder
  if (isKey && (lookup.find(SETTINGS.key) !== undefined || !existsSync(value))) return undefined
  return { name: setting.name, value, from: 'variable', place: variable }
}

function byDefault(
  setting: Setting<unknown>,
  source: SettingsSource,
  logEncoding: string | undefined,
): PrintedSetting {
  const { name, kind } = setting
  const rule = setting === SETTINGS.stateDir ? defaultStateFolder(source) : undefined
  const value = setting === SETTINGS.logEncoding ? logEncoding : (rule ?? setting.default)
  if (value === undefined) return { name, value: null, from: 'unset', place: null }
  return { name, value: printed(kind, value), from: 'default', place: null }
}

function defaultStateFolder({ env }: SettingsSource): string {
  return stateFolder({ setting: undefined, env, home: homedir(), uid: process.geteuid?.() ?? 0 })
}

/** The value as it is written in a file; of a secret that it is set. */
export function printed(kind: Kind<unknown>, value: unknown): string {
  if (value instanceof Secret) return String(value)
  // A text may well hold a private key beside the certificate.
  if (kind === pem) return String(value).startsWith('file://') ? String(value) : '<set>'
  if (kind === sizeKind) return printSize(Number(value))
  if (kind === durationKind) return printDuration(Number(value))
  return Array.isArray(value) ? value.join(',') : String(value)
}

const BYTES = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['B', 1],
] as const
const MILLISECONDS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** As `parseSize` reads it, in the largest unit that leaves nothing over. */
export function printSize(bytes: number): string {
  return bytes === 0 ? '0' : inLargest(bytes, BYTES)
}

/** As `parseDuration` reads it. */
export function printDuration(ms: number): string {
  return ms === 0 ? '0s' : inLargest(ms, MILLISECONDS)
}

function inLargest(quantity: number, units: readonly (readonly [string, number])[]): string {
  const [unit, of] = units.find(([, size]) => quantity % size === 0) ?? ['', 1]
  return `${quantity / of}${unit}`
}
