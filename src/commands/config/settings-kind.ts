import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { settings } from '../../config/table.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { SettingsShape } from '../../gateway/settings/schema.ts'
import { jsonOf } from '../../basics/settings/shapes.ts'
import { exitCodes, Failure } from '../failure.ts'

export interface KindFlags {
  readonly agent?: boolean
  readonly gateway?: boolean
}

export type SettingsKind = 'agent' | 'gateway'

/** The gateway's limit; the agent's may be lower. */
const LONGEST_FILE = 1024 * 1024

const OF_AGENT = new Set(settings.map(({ name }) => name.split('.')[0] ?? ''))
const OF_GATEWAY = new Set(Object.keys(jsonOf(SettingsShape).properties ?? {}))

/**
 * Tells settings of an agent from settings of a gateway: by the flags, else by the names that only one of them knows.
 * @throws Failure when neither tells, or the file cannot be read
 */
export function settingsKind(file: string, { agent, gateway }: KindFlags): SettingsKind {
  if (agent === true && gateway === true)
    throw new Failure('--agent and --gateway exclude each other', exitCodes.usage)
  const names = namesIn(file)
  if (agent === true || gateway === true) return agent === true ? 'agent' : 'gateway'
  const count = (known: ReadonlySet<string>, others: ReadonlySet<string>): number =>
    names.filter((name) => known.has(name) && !others.has(name)).length
  const lead = count(OF_AGENT, OF_GATEWAY) - count(OF_GATEWAY, OF_AGENT)
  if (lead !== 0) return lead > 0 ? 'agent' : 'gateway'
  throw new Failure(
    `${file}: its names fit neither an agent nor a gateway alone: add --agent or --gateway`,
    exitCodes.usage,
  )
}

/** The names before a colon, up to their first dot. They are found by text, in broken YAML, too. */
function namesIn(file: string): string[] {
  try {
    const text = decodeUtf8(readSmallFile(file, LONGEST_FILE).bytes)
    return [...text.matchAll(/^["']?([a-z-]+)(?:\.[a-z.-]+)?["']?\s*:/gm)].map(([, name = '']) => name)
  } catch (error) {
    if (error instanceof FileRefused) throw new Failure(`${file}: the file ${error.message}`)
    throw error
  }
}

/** @throws Failure for a file of a gateway that cannot be read */
export function readingSettings<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof SettingsError ? new Failure(error.message) : error
  }
}
