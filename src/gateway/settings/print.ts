import {
  type JsonSchema,
  type PrintedSetting,
  type PrintedSettings,
  shownValue,
} from '../../basics/settings/json-schema.ts'
import { soundsSecret } from '../../policy/redaction/secret-names.ts'
import { parseRemote } from './repositories.ts'
import { examineSettings } from './load.ts'
import { formatPath, type Path, type Problems } from '../../basics/settings/problems.ts'
import { jsonOf } from '../../basics/settings/shapes.ts'
import { SettingsShape } from './schema.ts'
import type { Tree } from '../../basics/settings/tree.ts'

/**
 * Returns the settings in the schema's order, as they are written in the file, or the defaults.
 * @throws SettingsError if the file cannot be read
 */
export function printGatewaySettings(
  file: string,
  env: NodeJS.ProcessEnv,
): PrintedSettings & { readonly problems: readonly string[] } {
  const { tree, problems } = examineSettings(file, env)
  const settings = tree === undefined ? [] : rows(jsonOf(SettingsShape), tree ?? {}, [], problems)
  return { file, settings, problems: problems.toLines() }
}

/** A setting's own row, or the rows of all settings in it. */
function rows(
  schema: JsonSchema,
  tree: Tree | undefined,
  path: Path,
  problems: Problems,
): readonly PrintedSetting[] {
  const from = (from: PrintedSetting['from'], value: string | null, place: string | null = null) => [
    { name: formatPath(path), value, from, place },
  ]
  if (problems.has(path)) return from('refused', null)
  if (tree === undefined || tree === null) {
    if (schema.default === undefined) return from('unset', null)
    if (typeof schema.default !== 'object') return from('default', String(schema.default))
  }
  const value = tree ?? {}
  if (typeof value === 'string') return from('file', shown(schema, value, path), problems.placeOf(path))
  const inside = membersOf(schema, value)
  if (inside.length === 0) return from('unset', null)
  const isOfTexts = isList(value) && schema.items?.properties === undefined
  const isWhole = !inside.some(({ key }) => problems.has([...path, key]))
  const texts =
    isOfTexts && path.at(-1) === 'command'
      ? value.map((one) => (typeof one === 'string' ? withoutPassword(one) : one))
      : value
  if (isOfTexts && isWhole) return from('file', JSON.stringify(texts), problems.placeOf(path))
  return inside.flatMap((member) => rows(member.schema, member.tree, [...path, member.key], problems))
}

interface Member {
  readonly key: string | number
  readonly schema: JsonSchema
  readonly tree: Tree | undefined
}

function membersOf(schema: JsonSchema, tree: Exclude<Tree, string | null>): Member[] {
  if (isList(tree)) return tree.map((item, key) => ({ key, schema: schema.items ?? {}, tree: item }))
  const { properties, additionalProperties } = schema
  if (properties === undefined)
    return Object.entries(tree).map(([key, value]) => ({
      key,
      tree: value,
      schema: additionalProperties === false ? {} : (additionalProperties ?? {}),
    }))
  return Object.entries(properties).map(([key, schema]) => ({
    key,
    schema,
    tree: Object.hasOwn(tree, key) ? tree[key] : undefined,
  }))
}

/** A URL is shown without its password. */
function shown(schema: JsonSchema, text: string, path: Path): string {
  const isUrl = path[0] === 'repositories' && path.at(-1) === 'url' && !/^(?:file|env):/.test(text)
  const remote = isUrl ? parseRemote(text) : undefined
  return remote?.kind === 'https' ? remote.url : shownValue(schema, text)
}

/**
 * Replaces a password in an argument of a command. The rest of the command is shown, because auditors read
 * it. A variable that the agent replaces (`--password=$PASSWORD`) is shown, too.
 */
export function withoutPassword(text: string): string {
  const [, name = '', value = ''] = /^-{0,2}([\w.-]+)=(.+)$/s.exec(text) ?? []
  if (value !== '' && !value.startsWith('$') && soundsSecret(name))
    return `${text.slice(0, -value.length)}<set>`
  return text.replace(/^(.*?:\/\/[^\s/?#@:]*):(?!\$)\S*@/s, '$1:<set>@')
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree)
}
