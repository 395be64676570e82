import { withEscapes } from '../../gateway/sessions/session-request.ts'
import type { ConnectionSettings } from '../../gateway/settings/settings.ts'
import { isMasked } from './rules.ts'
import {
  type Resource,
  writeResource,
  modesOf,
  type Migration,
  type MigrationStep,
  sameStep,
  differences,
  inNameOrder,
  joinedNames,
  resourceNamed,
} from './step.ts'

const PATH = '/api/connections'
/** Reviewers and masked types stay empty: rules define reviews and masking. */
const AT_FIRST = { access_schema: 'disabled', reviewers: [], redact_enabled: false, redact_types: [] }
const CLOSED = { runbooks: false, exec: false, connect: false }

export function connectionSteps(migration: Migration): MigrationStep[] {
  return migration.carried.connections.map((connection) => connectionStep(connection, migration))
}

/**
 * Opens the connections that hoop does not mask yet. These steps run after the steps for the masking rules:
 * if hoop refuses a rule, the connection must stay closed.
 */
export function openingSteps(migration: Migration): MigrationStep[] {
  return migration.carried.connections
    .filter((connection) => !isMasked(connection, migration))
    .map((connection) => {
      const present = resourceNamed(migration.present.connections, connection.name)
      const write = () => writeConnection(connection, present, migration, 'open')
      const parts = ['access modes, after the masking']
      return { ...sameStep('connection', connection.name), action: 'change', parts, write }
    })
}

function connectionStep(connection: ConnectionSettings, migration: Migration): MigrationStep {
  const { name } = connection
  const present = resourceNamed(migration.present.connections, name)
  migration.ids.set('connection', name, present?.['id'])
  const opens = isMasked(connection, migration) ? 'open' : 'closed'
  const parts = present === undefined ? [] : partsOf(connection, { present, opens }, migration)
  const action = present === undefined ? 'create' : parts.length === 0 ? 'same' : 'change'
  const write = () => writeConnection(connection, present, migration, opens)
  return { ...sameStep('connection', name), action, parts, write }
}

type Opening = 'open' | 'closed'

function partsOf(
  connection: ConnectionSettings,
  { present, opens }: { readonly present: Resource; readonly opens: Opening },
  migration: Migration,
): string[] {
  const wanted = membersOf(connection, present, migration, opens)
  const secrets = differingSecrets(connection, present, migration)
  const sorted = { ...present, guardrail_rules: inNameOrder(present['guardrail_rules']) }
  return [...differences(sorted, wanted), ...secrets.map((name) => `secret ${name}`)]
}

/** Returns the members without secrets. Rules and tags that were added in hoop are kept. */
function membersOf(
  connection: ConnectionSettings,
  present: Resource | undefined,
  migration: Migration,
  opens: Opening,
): Resource {
  const { carried, ids } = migration
  const { name, agent, type, subtype, tags, command, guardrails, jira } = connection
  const modes = opens === 'open' ? modesOf(connection, carried, hasAccessControl(migration)) : CLOSED
  const rules = guardrails.map((one) => ids.get('guardrail', one.name) ?? one.name)
  const template = jira && (ids.get('jira template', jira.name) ?? jira.name)
  return {
    name,
    type,
    subtype: subtype ?? '',
    command,
    agent_id: ids.get('agent', agent) ?? agent,
    connection_tags: { ...objectIn(present, 'connection_tags'), ...tags },
    access_mode_runbooks: modeWord(modes.runbooks),
    access_mode_exec: modeWord(modes.exec),
    access_mode_connect: modeWord(modes.connect),
    guardrail_rules: joinedNames(present?.['guardrail_rules'], rules),
    jira_issue_template_id: template ?? '',
  }
}

function modeWord(isOpen: boolean): string {
  return isOpen ? 'enabled' : 'disabled'
}

async function writeConnection(
  connection: ConnectionSettings,
  present: Resource | undefined,
  migration: Migration,
  opens: Opening,
): Promise<void> {
  const { account, ids } = migration
  const { name } = connection
  const secret = { ...storedSecrets(present), ...Object.fromEntries(withEscapes(connection)) }
  const body = { ...(present ?? AT_FIRST), ...membersOf(connection, present, migration, opens), secret }
  const isThere = ids.get('connection', name) !== undefined
  const place = isThere ? `${PATH}/${encodeURIComponent(name)}` : PATH
  const stored = await writeResource(account, isThere ? 'PUT' : 'POST', place, body)
  ids.set('connection', name, stored['id'])
}

/**
 * Returns the names of secrets that hoop lacks or stores with another value. Hidden secrets count as
 * different if `options.secrets` is set.
 */
function differingSecrets(
  connection: ConnectionSettings,
  present: Resource,
  { options }: Migration,
): string[] {
  const stored = storedSecrets(present)
  const differs = (key: string, value: string) =>
    !Object.hasOwn(stored, key) || (stored[key] === null ? options.secrets : stored[key] !== value)
  return [...withEscapes(connection)].flatMap(([key, value]) =>
    differs(key, value) ? [key.slice(key.indexOf(':') + 1)] : [],
  )
}

/** hoop sends null for a hidden value. If hoop gets this null back, it keeps the value. */
export function storedSecrets(present: Resource | undefined): Resource {
  return objectIn(present, 'secret')
}

function objectIn(present: Resource | undefined, member: string): Resource {
  const found = present?.[member]
  return typeof found === 'object' && found !== null ? (found as Resource) : {}
}

const PLUGIN = 'access_control'

/** Returns whether hoop hides connections from users outside their groups, now or after the steps. */
export function hasAccessControl({ present, options }: Migration): boolean {
  return present.accessControl !== undefined || options.accessControl
}

/**
 * These steps run before the steps for connections. A new connection is then visible only to admins until it
 * has its groups.
 */
export function accessControlSteps(migration: Migration): MigrationStep[] {
  const { account, present, carried } = migration
  const isNeeded = carried.connections.some(({ access }) => access.groups !== undefined)
  if (!isNeeded || !hasAccessControl(migration)) return []
  const step = sameStep('access control', PLUGIN)
  if (present.accessControl !== undefined) return [step]
  const write = async () => {
    await writeResource(account, 'POST', '/api/plugins', { name: PLUGIN, connections: [] })
  }
  return [{ ...step, action: 'create', write }]
}

export function groupSteps(migration: Migration): MigrationStep[] {
  if (!hasAccessControl(migration)) return []
  return migration.carried.connections.flatMap(({ name, access: { groups } }) =>
    groups === undefined ? [] : [groupStep(name, groups, migration)],
  )
}

function groupStep(name: string, groups: readonly string[], migration: Migration): MigrationStep {
  const { account, ids, present } = migration
  const listed = present.accessControl?.['connections']
  const found = resourceNamed(Array.isArray(listed) ? (listed as Resource[]) : [], name)
  const wanted = groups.toSorted()
  const isSame = found !== undefined && inNameOrder(found['config']).join('\n') === wanted.join('\n')
  const step = sameStep('groups', name)
  if (isSame) return step
  const write = async () => {
    const place = `/api/plugins/${PLUGIN}/conn/${ids.made('connection', name)}`
    await writeResource(account, 'PUT', place, { config: wanted })
  }
  return { ...step, action: found === undefined ? 'create' : 'change', parts: wanted, write }
}

/** Without groups, hoop's access control shows a connection only to admins. */
export function isForAdminsOnly({ access }: ConnectionSettings, migration: Migration): boolean {
  return access.groups === undefined && hasAccessControl(migration)
}
