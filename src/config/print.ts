import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import {
  defaultJson,
  type JsonSchema,
  orNull,
  type PrintedSetting,
  type PrintedSettings,
  shownValue,
} from '../basics/settings/json-schema.ts'
import { about, jsonOf } from '../basics/settings/shapes.ts'
import { type Found, locateFile, Lookup, type SettingsSource } from './settings-file.ts'
import { stateFolder } from './state-folder.ts'
import { type Setting, settings, SETTINGS } from './table.ts'

/**
 * Returns all settings in the order of the table. Faults are not reported here, but by `loadAgentSettings`.
 * @param logEncoding the encoding in use: its default depends on the terminal
 */
export function printSettings(source: SettingsSource, logEncoding: string | undefined): PrintedSettings {
  const lookup = new Lookup(source)
  const print = (setting: Setting): PrintedSetting => {
    const found = lookup.find(setting)
    if (found !== undefined) return given(setting, found)
    if (lookup.isGiven(setting)) return { name: setting.name, value: null, from: 'refused', place: null }
    return bySystemd(setting, lookup, source) ?? byDefault(setting, source, logEncoding)
  }
  return { file: locateFile(source).path, settings: settings.map(print) }
}

const SYSTEMD = new Map<Setting, string>([
  [SETTINGS.keyFile, 'CREDENTIALS_DIRECTORY'],
  [SETTINGS.runtimeDir, 'RUNTIME_DIRECTORY'],
  [SETTINGS.stateDir, 'STATE_DIRECTORY'],
])

const FROM = { flag: 'flag', environment: 'variable', alias: 'variable', file: 'file' } as const

function given({ name, kind }: Setting, { from, place, written }: Found<unknown>): PrintedSetting {
  return { name, value: shownValue(jsonOf(kind), written), from: FROM[from], place }
}

/** Returns the value of a setting whose default is a folder of systemd. */
function bySystemd(setting: Setting, lookup: Lookup, { env }: SettingsSource): PrintedSetting | undefined {
  const variable = SYSTEMD.get(setting) ?? ''
  const [folder] = (env[variable] ?? '').split(':')
  if (!folder) return undefined
  const isKey = setting === SETTINGS.keyFile
  const value = isKey ? join(folder, 'hoop-key') : folder
  if (isKey && (lookup.find(SETTINGS.key) !== undefined || !existsSync(value))) return undefined
  return { name: setting.name, value, from: 'variable', place: variable }
}

function byDefault(
  setting: Setting,
  { env }: SettingsSource,
  logEncoding: string | undefined,
): PrintedSetting {
  const { name } = setting
  let value = setting.default
  if (setting === SETTINGS.logEncoding) value = logEncoding
  if (setting === SETTINGS.stateDir)
    value = stateFolder({ setting: undefined, env, home: homedir(), uid: process.geteuid?.() ?? 0 })
  if (value === undefined) return { name, value: null, from: 'unset', place: null }
  return { name, value, from: 'default', place: null }
}

/**
 * Makes the schema of `agent.yaml` for editors. It describes each setting twice: by its dotted name and
 * inside its group.
 */
export function agentSchema(): JsonSchema {
  const groups = new Map<string, Record<string, JsonSchema>>()
  const properties: Record<string, JsonSchema> = {}
  for (const setting of settings) {
    const [group, member] = setting.name.split('.')
    properties[setting.name] = settingJson(setting)
    if (group === undefined || member === undefined) continue
    groups.set(group, { ...groups.get(group), [member]: settingJson(setting) })
  }
  for (const [name, members] of groups) properties[name] = groupJson(members, properties[name])
  return { type: ['object'], properties, additionalProperties: false }
}

/** @param own the schema of a setting that has the same name as the group, such as `redact` */
function groupJson(members: Readonly<Record<string, JsonSchema>>, own: JsonSchema | undefined): JsonSchema {
  const group = orNull({ type: ['object'], properties: members, additionalProperties: false })
  const { description = '', ...itself } = own ?? {}
  return own === undefined ? group : { anyOf: [itself, group], description }
}

function settingJson({ kind, description, isOfMachine, default: value }: Setting): JsonSchema {
  return {
    ...orNull(jsonOf(about(description, kind))),
    ...defaultJson(isOfMachine === true ? undefined : value),
  }
}
