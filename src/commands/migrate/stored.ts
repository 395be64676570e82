import { createHash } from 'node:crypto'
import type { JiraSettings, JiraTemplate } from '../../gateway/settings/jira.ts'
import type { ConnectionSettings } from '../../gateway/settings/settings.ts'
import type { Rule } from '../../policy/guardrails/rules.ts'
import {
  type Resource,
  writeResource,
  type Kind,
  type Migration,
  type MigrationStep,
  type CarriedRepository,
  runbooksOf,
  differences,
  inNameOrder,
  idOf,
  resourceNamed,
} from './step.ts'

interface Wanted {
  readonly kind: Kind
  readonly name: string
  /** The path for all objects of this kind, for example `/api/guardrails`. */
  readonly path: string
  readonly present: Resource | undefined
  /** The id or the name of the present object. It follows `path` in requests. */
  readonly key?: string | undefined
  /** The members that the settings decide. */
  readonly body: Resource
  /** Computed when the object is written. */
  readonly beside?: () => Resource
}

/**
 * hoop replaces the whole object, so the step sends back unchanged all members that the settings do not
 * decide.
 */
export function storedStep(wanted: Wanted, migration: Migration): MigrationStep {
  const { kind, name, present, body } = wanted
  migration.ids.set(kind, name, present?.['id'])
  const parts = present === undefined ? [] : differences(present, body)
  const action = present === undefined ? 'create' : parts.length === 0 ? 'same' : 'change'
  return { kind, name, action, parts, write: () => write(wanted, migration) }
}

async function write(wanted: Wanted, { account, ids }: Migration): Promise<void> {
  const { kind, name, path, present, key, body, beside } = wanted
  const whole = { ...present, ...body, ...beside?.() }
  const isNew = present === undefined
  const place = isNew || key === undefined ? path : `${path}/${encodeURIComponent(key)}`
  const stored = await writeResource(account, isNew ? 'POST' : 'PUT', place, whole)
  ids.set(kind, name, stored['id'])
}

export function guardrailSteps(migration: Migration): MigrationStep[] {
  return migration.settings.guardrails.map(({ name, input, output }) => {
    const present = resourceNamed(migration.present.guardrails, name)
    const body = {
      name,
      input: { rules: input.map(guardrailRule) },
      output: { rules: output.map(guardrailRule) },
    }
    const wanted = { kind: 'guardrail', path: '/api/guardrails', key: idOf(present) } as const
    return storedStep({ ...wanted, name, present, body }, migration)
  })
}

function guardrailRule({ type, words, pattern, message }: Rule): object {
  return { type, words, pattern_regex: pattern, message }
}

const SITE = '/api/integrations/jira'

/** The step for the site comes first: hoop accepts no templates without a site. */
export function jiraSteps(migration: Migration): MigrationStep[] {
  const { jira } = migration.settings
  if (jira === undefined) return []
  return [siteStep(jira, migration), ...jira.templates.map((one) => templateStep(one, migration))]
}

function siteStep({ url, user, token }: JiraSettings, migration: Migration): MigrationStep {
  const present = migration.present.jira
  const body = { url, user, api_token: token.reveal(), status: 'enabled' }
  return storedStep({ kind: 'jira site', name: url, path: SITE, present, body }, migration)
}

/** Sends back the template's present connections, because otherwise the template would lose them. */
function templateStep(template: JiraTemplate, migration: Migration): MigrationStep {
  const present = resourceNamed(migration.present.templates, template.name)
  const body = { ...template }
  const wanted = { kind: 'jira template', path: `${SITE}/issuetemplates`, key: idOf(present) } as const
  return storedStep({ ...wanted, name: template.name, present, body }, migration)
}

/** hoop derives ids from a URL in this UUID namespace (RFC 4122). */
const URL_NAMESPACE = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex')

export function repositorySteps(migration: Migration): MigrationStep[] {
  return migration.carried.repositories.map((repository) => {
    const body = repositoryJson(repository)
    const { git_url: url } = body
    const present = migration.present.repositories.find((one) => one['git_url'] === url)
    const wanted = { kind: 'repository', path: '/api/runbooks/configurations', key: uuidOfUrl(url) } as const
    return storedStep({ ...wanted, name: repository.name, present, body }, migration)
  })
}

/** The settings have no ssh keys, so hoop keeps its own. */
function repositoryJson({ remote }: CarriedRepository): Resource & { git_url: string } {
  if (remote.kind === 'ssh' || remote.credentials === undefined) return { git_url: remote.url }
  const { username, password } = remote.credentials
  // If the URL has a user but no password, this user is a token.
  if (password === undefined) return { git_url: remote.url, git_password: username }
  return { git_url: remote.url, git_user: username, git_password: password }
}

/** Returns the UUID of version 5. */
function uuidOfUrl(url: string): string {
  const hash = createHash('sha1').update(URL_NAMESPACE).update(url).digest().subarray(0, 16)
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/**
 * Makes a rule for each connection that limits it to one folder of one repository. Without this rule, hoop
 * would run all files.
 */
export function runbookRuleSteps(migration: Migration): MigrationStep[] {
  return migration.carried.connections.flatMap((connection) => runbookRuleStep(connection, migration))
}

function runbookRuleStep(connection: ConnectionSettings, migration: Migration): MigrationStep[] {
  const runbooks = runbooksOf(connection, migration.carried)
  if (runbooks === undefined) return []
  const name = `runbooks-${connection.name}`
  const body = {
    name,
    runbooks: [{ repository: runbooks.key, name: runbooks.path }],
    connections: [connection.name],
    user_groups: connection.access.groups?.toSorted() ?? [],
  }
  const found = resourceNamed(migration.present.runbookRules, name)
  const present = found && { ...found, user_groups: inNameOrder(found['user_groups']) }
  const wanted = { kind: 'runbook rule', path: '/api/runbooks/rules', key: idOf(found) } as const
  return [storedStep({ ...wanted, name, present, body }, migration)]
}
