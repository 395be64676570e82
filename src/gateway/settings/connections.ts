/** The types that the agent gets for one type of gateway.yaml, depending on the subtype (protocol.md 5.1). */
interface Collapse {
  readonly otherwise: string
  /** The key is the type that the agent gets for these subtypes. */
  readonly subtypes: Readonly<Record<string, readonly string[]>>
}

const APPLICATION: Collapse = {
  otherwise: 'command-line',
  subtypes: {
    tcp: ['tcp'],
    ssh: ['ssh', 'ssh-local', 'git', 'github'],
    httpproxy: ['httpproxy', 'kibana', 'grafana'],
    mcpproxy: ['mcpproxy'],
  },
}

const CUSTOM: Collapse = {
  otherwise: 'command-line',
  subtypes: {
    dynamodb: ['dynamodb'],
    cloudwatch: ['cloudwatch'],
    rdp: ['rdp'],
    'aws-ssm': ['aws-ssm'],
    kubernetes: ['kubernetes', 'kubernetes-eks'],
    httpproxy: ['httpproxy', 'kubernetes-token'],
    mcpproxy: ['mcpproxy'],
  },
}

/** As in hoop's table, a database with an unknown subtype keeps the type `database`. */
const DATABASE: Collapse = {
  otherwise: 'database',
  subtypes: Object.fromEntries(
    ['postgres', 'mysql', 'mongodb', 'mssql', 'oracledb'].map((name) => [name, [name]]),
  ),
}

const COLLAPSES: ReadonlyMap<string, Collapse> = new Map([
  ['application', APPLICATION],
  ['custom', CUSTOM],
  ['database', DATABASE],
  ['httpproxy', { otherwise: 'httpproxy', subtypes: { mcpproxy: ['mcpproxy'] } }],
])

/** Returns the type for the agent. A type that is not in the table stays the same, like `command-line`. */
export function connectionType(type: string, subtype = ''): string {
  const collapse = COLLAPSES.get(type)
  if (collapse === undefined) return type
  const found = Object.entries(collapse.subtypes).find(([, subtypes]) => subtypes.includes(subtype))
  return found?.[0] ?? collapse.otherwise
}

/** Agents require these variables before a session starts; a password may be empty. */
const DATABASE_VARIABLES = ['HOST', 'USER', 'PASS']
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  postgres: DATABASE_VARIABLES,
  mysql: DATABASE_VARIABLES,
  mssql: DATABASE_VARIABLES,
  mongodb: DATABASE_VARIABLES,
  tcp: ['HOST', 'PORT'],
}

interface TypedConnection {
  readonly type: string
  readonly subtype?: string
  /** Keys are `envvar:NAME` or `filesystem:NAME`. */
  readonly secrets: ReadonlyMap<string, string>
}

/** Returns the required variables that the connection lacks. A caller with the right can still send them. */
export function missingVariables({ type, subtype, secrets }: TypedConnection): readonly string[] {
  const told = connectionType(type, subtype)
  if (told === 'mongodb' && secrets.has('envvar:CONNECTION_STRING')) return []
  const required = Object.hasOwn(REQUIRED, told) ? (REQUIRED[told] ?? []) : []
  return required.filter((name) => !secrets.has(`envvar:${name}`))
}

/** Tags, for example `env` to `prod`. */
export type Tags = Readonly<Record<string, string>>

interface TagCondition {
  readonly key: string
  readonly value: string
  /** `env!=prod`: the tag has another value, or is missing. */
  readonly isExcluded: boolean
}

/** Selects connections for which all conditions are true. */
export type TagSelector = readonly TagCondition[]

/** A key cannot contain `=`, `,` and `!`, because they separate the parts of a selector. */
export const TAG_KEY = /^[A-Za-z0-9_./-]{1,64}$/
export const TAG_VALUE = /^[A-Za-z0-9 _./+@:-]{1,128}$/

const MAX_CONDITIONS = 20

/** Reads `env=prod,region!=eu`. @returns undefined for anything else */
export function parseTagSelector(text: string): TagSelector | undefined {
  const conditions = text.split(',').map(conditionOf)
  const isWhole = conditions.length <= MAX_CONDITIONS
  return isWhole && conditions.every((one) => one !== undefined) ? conditions : undefined
}

export function hasTags(tags: Tags, selector: TagSelector): boolean {
  return selector.every(({ key, value, isExcluded }) => (valueOf(tags, key) === value) !== isExcluded)
}

function conditionOf(text: string): TagCondition | undefined {
  const [, key = '', not, value = ''] = /^([^=!]*)(!?)=([^=]*)$/.exec(text.trim()) ?? []
  if (!TAG_KEY.test(key) || !TAG_VALUE.test(value)) return undefined
  return { key, value, isExcluded: not === '!' }
}

function valueOf(tags: Tags, key: string): string | undefined {
  return Object.hasOwn(tags, key) ? tags[key] : undefined
}
