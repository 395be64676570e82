import { durationText, sizeText } from '../../basics/text/units.ts'
import { Secret } from '../../basics/secret.ts'
import { effectOf, effectOfEntry, type AccessEffect } from './access-effect.ts'
import { isSameSettings, PARTS, type SettingsChange } from './changes.ts'
import { withoutPassword } from './print.ts'
import { parseRemote } from './repositories.ts'
import type { GatewaySettings } from './settings.ts'
import { PathPattern } from './words.ts'

/** Maximum length of a shown value. */
const MAX_VALUE = 500
/** Maximum number of shown values in all entries together. */
const MAX_PARTS = 2000

/** A value before and after. Both are undefined for a secret, and one is undefined if there is no value. */
interface ChangedPart {
  /** Name inside the entry, as in gateway.yaml; empty if the entry itself is the value. */
  readonly name: string
  readonly before: string | undefined
  readonly after: string | undefined
  readonly isSecret: boolean
  readonly effect: AccessEffect
}

/** One user, connection or other entry of a setting. */
export interface ChangedEntry {
  readonly setting: string
  readonly name: string
  readonly change: 'added' | 'removed' | 'changed'
  readonly effect: AccessEffect
  readonly parts: readonly ChangedPart[]
}

export interface ChangedEntries {
  /** What opens or closes access comes first. */
  readonly all: readonly ChangedEntry[]
  /** Number of values that are left out. */
  readonly leftOut: number
}

const ORDER: readonly AccessEffect[] = ['opens', 'both', 'closes', 'other']

/** Returns what has changed, with the values that the gateway uses before and after, and without secrets. */
export function changedEntries(
  changes: readonly SettingsChange[],
  before: GatewaySettings,
  after: GatewaySettings,
): ChangedEntries {
  const found = changes.flatMap(({ setting, ...names }) => {
    const partsOf = PARTS[setting as keyof GatewaySettings]
    const [old, next] = [partsOf(before), partsOf(after)]
    return (['added', 'removed', 'changed'] as const).flatMap((change) =>
      names[change].map((name) => entryOf({ setting, name, change }, old[name], next[name])),
    )
  })
  const sorted = found.toSorted((a, b) => ORDER.indexOf(a.effect) - ORDER.indexOf(b.effect))
  let room = MAX_PARTS
  const all = sorted.map((entry) => {
    const parts = entry.parts.slice(0, room)
    room -= parts.length
    return { ...entry, parts }
  })
  const total = sorted.reduce((sum, { parts }) => sum + parts.length, 0)
  return { all, leftOut: total - (MAX_PARTS - room) }
}

/** Maximum number of lines in an entry of the audit log. */
const MAX_LINES = 100

/**
 * Returns the changes as lines for the audit log, such as `users ann: changed, opens` and `users ann groups: dev -> dev, boss`,
 * and the number of lines that are left out.
 */
export function changedLines({ all, leftOut }: ChangedEntries): {
  readonly changes: readonly string[]
  readonly left_out: number
} {
  const lines = all.flatMap(({ setting, name, change, effect, parts }) => {
    const said = name === setting ? name : `${setting} ${name}`
    return [
      `${said}: ${change}${effect === 'other' ? '' : `, ${effect}`}`,
      ...parts.map(({ name: part, before = 'none', after = 'none', isSecret }) => {
        const what = isSecret ? 'changed, a secret' : `${before} -> ${after}`
        return `${said}${part === '' ? '' : ` ${part}`}: ${what}`
      }),
    ]
  })
  return {
    changes: lines.slice(0, MAX_LINES).map(cut),
    left_out: leftOut + Math.max(0, lines.length - MAX_LINES),
  }
}

function entryOf(
  entry: Pick<ChangedEntry, 'setting' | 'name' | 'change'>,
  before: unknown,
  after: unknown,
): ChangedEntry {
  const [old, next] = [leavesOf(before, entry), leavesOf(after, entry)]
  const names = [...new Set([...old.keys(), ...next.keys()])]
  const parts = names.flatMap((name): ChangedPart[] => {
    const [was, is] = [old.get(name), next.get(name)]
    if (isSameSettings(was?.compared, is?.compared)) return []
    const isSecret = was?.shown === null || is?.shown === null
    const effect = entry.change === 'changed' ? effectOf(entry.setting, name, before, after) : 'other'
    const shown = (leaf: Leaf | undefined) => (isSecret ? undefined : (leaf?.shown ?? undefined))
    return [{ name, before: shown(was), after: shown(is), isSecret, effect }]
  })
  const effect = effectOfEntry(
    entry,
    parts.map((part) => part.effect),
  )
  return { ...entry, effect, parts }
}

interface Leaf {
  /** Null for a secret. */
  readonly shown: string | null
  /** Shows whether two values are equal. It may be a secret. */
  readonly compared: unknown
}

type Leaves = ReadonlyMap<string, Leaf>

function leavesOf(value: unknown, { setting, name }: Pick<ChangedEntry, 'setting' | 'name'>): Leaves {
  const found = new Map<string, Leaf>()
  // A setting such as `limits` has plain values, whose unit is in the name of the setting's own field.
  const unit = UNIT_OF[`${setting}.${name}`] ?? UNIT_OF[setting]
  collect(value, [], { found, setting, unit })
  found.delete('name')
  return found
}

/** The settings whose parts have names without a unit. */
const UNIT_OF: Readonly<Record<string, Unit>> = {
  'limits.wait': 'Ms',
  'limits.agent-wait': 'Ms',
  'limits.lock-wait': 'Ms',
  'limits.body': 'Bytes',
  'limits.output': 'Bytes',
  'history.retain': 'Ms',
  'history.audit-retain': 'Ms',
  'history.size': 'Bytes',
  stopTimeoutMs: 'Ms',
}
type Unit = 'Ms' | 'Bytes' | 'At'

interface Collection {
  readonly found: Map<string, Leaf>
  readonly setting: string
  readonly unit: Unit | undefined
}

/** Collects values by their names. Whatever is not a plain value with a harmless name is not shown. */
function collect(value: unknown, path: readonly string[], into: Collection): void {
  if (value === undefined || typeof value === 'function') return
  const name = path.join('.')
  const put = (shown: string | null) => into.found.set(name, { shown: shown && cut(shown), compared: value })
  if (value instanceof PathPattern) return void put(value.text)
  if (value instanceof Map)
    return value.forEach((one: unknown, key: string) =>
      into.found.set([name, key].filter(Boolean).join('.'), { shown: null, compared: one }),
    )
  const isHidden = value instanceof Secret || Buffer.isBuffer(value) || HIDDEN.has(name) || mayBeSecret(path)
  if (isHidden) return void put(null)
  if (Array.isArray(value)) return collectList(value, path, into, put)
  if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      const { text, unit } = nameOf(key)
      collect(one, [...path, text], { ...into, unit })
    }
    return
  }
  put(plainText(value, path, into))
}

function collectList(
  list: readonly unknown[],
  path: readonly string[],
  into: Collection,
  put: (shown: string) => void,
): void {
  const isPlain = list.every((one) => typeof one !== 'object' || one instanceof PathPattern)
  const named = list.filter(isNamed)
  // A connection repeats its guardrails, whose own changes are entries of `guardrails`.
  if (path.at(-1) === 'guardrails') return put(named.map(({ name }) => name).join(', '))
  if (isPlain)
    return put(
      list.map((one) => (one instanceof PathPattern ? one.text : withoutPassword(String(one)))).join(', '),
    )
  list.forEach((one, at) => collect(one, [...path, isNamed(one) ? one.name : String(at + 1)], into))
}

/** The shown texts of lists and of proxies may have credentials. */
const HIDDEN = new Set(['proxy', 'ca', 'oidc.proxy', 'oidc.ca'])

/** Values of parameters and of fields of issues may be secrets, whatever their names are. */
function mayBeSecret(path: readonly string[]): boolean {
  const folder = path.at(-2)
  return folder === 'parameters' || folder === 'jira-fields'
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof (value as { readonly name?: unknown } | null)?.name === 'string'
}

/** Returns the name in gateway.yaml: `expiresMs` is `expires`, and `clientInput` is `client-input`. */
function nameOf(key: string): { readonly text: string; readonly unit: Unit | undefined } {
  const [, short = key, unit] = /^(.+?)(Ms|Bytes|At)$/.exec(key) ?? []
  const text = RENAMED[key] ?? short.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return { text, unit: unit as Unit | undefined }
}

const RENAMED: Readonly<Record<string, string>> = {
  accessMaxMs: 'access-max-duration',
  keySha256: 'key',
  sha256: 'token',
  dlpProvider: 'provider',
  dlpMode: 'mode',
  dlpPresidioAnalyzerUrl: 'analyzer',
  dlpPresidioAnonymizerUrl: 'anonymizer',
  dataMaskingEntityTypesData: 'entities',
  catchesUp: 'catch-up',
}

function plainText(value: unknown, path: readonly string[], { setting, unit }: Collection): string {
  if (typeof value === 'number') {
    if (value > Number.MAX_SAFE_INTEGER / 4) return 'no limit'
    if (unit === 'Ms') return value % 1000 === 0 ? durationText(value / 1000) : `${value}ms`
    if (unit === 'Bytes') return sizeText(value)
    if (unit === 'At') return new Date(value).toISOString()
  }
  const text = String(value)
  if (setting === 'repositories' && path.at(-1) === 'url') {
    const remote = parseRemote(text)
    return remote.kind === 'https' ? remote.url : text
  }
  return withoutPassword(text)
}

function cut(text: string): string {
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE).toWellFormed()}…`
}
