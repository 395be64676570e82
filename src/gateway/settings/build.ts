import { resolve } from 'node:path'
import { CLIENT_ESCAPES, databaseProgram, whyUnrestrictable } from '../../policy/client-escapes.ts'
import { buildListen, checkListen } from './listen.ts'
import { buildGuardrails } from './guardrails.ts'
import type { Path, Problems } from '../../basics/settings/problems.ts'
import { readBytes, type Sources } from '../../basics/settings/references.ts'
import type { Limits, Retention } from './retention.ts'
import { buildJira, type JiraSettings } from './jira.ts'
import { buildLock } from './locks.ts'
import { buildWebhooks } from './webhooks.ts'
import { buildSchedule } from './schedules.ts'
import { connectionType } from './connections.ts'
import { buildReview, buildRunbookReviews, type KnownGroups } from './reviews.ts'
import { checkUnreviewed } from './unreviewed.ts'
import { checkMasking, maskingParams } from './masking.ts'
import type { ConnectionShape, SettingsShape } from './schema.ts'
import { buildUser, checkTokens } from './users.ts'
import { buildOidc } from './oidc.ts'
import type { ConnectionSettings, GatewaySettings, MaskingParams, RepositorySettings } from './settings.ts'

/** Variables and files share one packet of at most 17 MiB with all other settings (protocol.md 1.2). */
const SECRETS_BYTES = 12 * 1024 * 1024

/** Lists whose items have unique names. */
const NAMED = [
  ...(['users', 'agents', 'repositories', 'masking', 'guardrails', 'connections'] as const),
  ...(['locks', 'schedules', 'webhooks'] as const),
]

/** Checks settings against each other, reads files, and makes paths absolute. */
export function buildSettings(shape: SettingsShape, sources: Sources, problems: Problems): GatewaySettings {
  checkListen(shape.listen, problems)
  for (const list of NAMED) {
    const names = shape[list].map(({ name }) => name)
    checkUnique(names, list, 'name', problems)
  }
  checkSecrets(shape, problems)
  checkReferences(shape, problems)
  checkMasking(shape, problems)
  const { listen, limits, history } = shape
  const groups = knownGroups(shape)
  const guardrails = buildGuardrails(shape, sources, problems)
  const jira = withJira(shape, sources, problems)
  return {
    listen: buildListen(listen, sources, problems),
    state: resolve(sources.folder, shape.state),
    users: shape.users.map((user, i) => buildUser(user, problems, ['users', i])),
    ...withSignIn(shape, sources, problems),
    agents: shape.agents.map(({ name, key }) => ({ name, keySha256: key })),
    repositories: shape.repositories.map((repository) => buildRepository(repository, sources)),
    guardrails,
    ...jira,
    connections: shape.connections.map((connection, i) => ({
      ...buildConnection(connection, sources, problems, ['connections', i]),
      ...withMasking(maskingParams(connection, shape.masking)),
      ...reviewsOf(connection, groups, problems, ['connections', i]),
      guardrails: guardrails.filter(({ name }) => connection.guardrails.includes(name)),
      ...withTemplate(connection, jira.jira),
    })),
    locks: shape.locks.map(buildLock),
    schedules: shape.schedules.map(buildSchedule),
    webhooks: buildWebhooks(shape.webhooks, sources, problems),
    mcp: shape.mcp,
    limits: buildLimits(limits),
    stopTimeoutMs: shape['stop-timeout'],
    history: { ...buildRetention(history, shape.connections), auditRetainMs: history['audit-retain'] },
  }
}

function buildLimits(limits: SettingsShape['limits']): GatewaySettings['limits'] {
  return {
    waitMs: limits.wait,
    agentWaitMs: limits['agent-wait'],
    lockWaitMs: limits['lock-wait'],
    bodyBytes: limits.body,
    outputBytes: limits.output,
    failedSignIns: limits['failed-sign-ins'],
    batchParallel: limits['batch-parallel'],
  }
}

function buildRetention(
  { retain, size }: SettingsShape['history'],
  connections: readonly ConnectionShape[],
): Retention {
  const own = connections.flatMap(({ name, history }): [string, Partial<Limits>][] => {
    if (!history) return []
    const { retain, size } = history
    return [[name, { ...(retain && { retainMs: retain }), ...(size && { sizeBytes: size }) }]]
  })
  return { retainMs: retain, sizeBytes: size, connections: new Map(own) }
}

/** @param identities value of `setting` in each item of the list */
function checkUnique(identities: readonly string[], list: string, setting: string, problems: Problems): void {
  const first = new Map<string, number>()
  identities.forEach((identity, i) => {
    const other = first.get(identity)
    if (other === undefined) return first.set(identity, i)
    const place = problems.lineOf([list, other, setting])
    problems.add([list, i, setting], `${list}[${other}] has this ${setting} already (${place})`)
  })
}

function checkSecrets({ users, agents }: SettingsShape, problems: Problems): void {
  checkTokens(users, problems)
  const keys = agents.map(({ key }) => key.toString('hex'))
  checkUnique(keys, 'agents', 'key', problems)
}

function checkReferences(shape: SettingsShape, problems: Problems): void {
  const { agents, repositories, masking: rules, connections } = shape
  checkOwnLists(shape, problems)
  connections.forEach(({ agent, runbooks, masking, guardrails, jira }, i) => {
    if (jira)
      checkReference(
        jira,
        shape.jira?.templates ?? [],
        'templates of jira',
        ['connections', i, 'jira'],
        problems,
      )
    guardrails.forEach((name, at) =>
      checkReference(name, shape.guardrails, 'guardrails', ['connections', i, 'guardrails', at], problems),
    )
    checkReference(agent, agents, 'agents', ['connections', i, 'agent'], problems)
    masking.forEach((name, at) =>
      checkReference(name, rules, 'masking rules', ['connections', i, 'masking', at], problems),
    )
    if (!runbooks) return
    checkReference(
      runbooks.repository,
      repositories,
      'repositories',
      ['connections', i, 'runbooks', 'repository'],
      problems,
    )
  })
}

function checkOwnLists(shape: SettingsShape, problems: Problems): void {
  shape.schedules.forEach(({ lock }, i) => {
    if (lock) checkReference(lock, shape.locks, 'locks', ['schedules', i, 'lock'], problems)
  })
  for (const list of ['locks', 'webhooks'] as const)
    shape[list].forEach(({ connections }, i) =>
      connections?.forEach((name, at) =>
        checkReference(name, shape.connections, 'connections', [list, i, 'connections', at], problems),
      ),
    )
}

function checkReference(
  name: string,
  targets: readonly { readonly name: string }[],
  list: string,
  path: Path,
  problems: Problems,
): void {
  if (targets.some((target) => target.name === name)) return
  const names = targets.slice(0, 10).map((target) => target.name)
  const known =
    names.length === 0 ? `no ${list} are configured` : `use one of these ${list}: ${names.join(', ')}`
  problems.add(path, `unknown name; ${known}${targets.length > 10 ? ', ...' : ''}`)
}

function buildRepository(
  { name, url, branch, refresh }: SettingsShape['repositories'][number],
  { folder }: Sources,
): RepositorySettings {
  const isPath = /^\.{0,2}(\/|$)/.test(url)
  return {
    name,
    url: isPath ? resolve(folder, url) : url,
    ...(branch ? { branch } : {}),
    ...(typeof refresh === 'number' ? { refreshMs: refresh } : {}),
  }
}

function withMasking(masking: MaskingParams | undefined): Pick<ConnectionSettings, 'masking'> {
  return masking === undefined ? {} : { masking }
}

function withJira(
  { jira }: SettingsShape,
  sources: Sources,
  problems: Problems,
): Pick<GatewaySettings, 'jira'> {
  if (!jira) return {}
  const names = jira.templates.map(({ name }) => name)
  checkUnique(names, 'jira.templates', 'name', problems)
  return { jira: buildJira(jira, sources, problems) }
}

function withSignIn(
  { 'sign-in': signIn }: SettingsShape,
  sources: Sources,
  problems: Problems,
): Pick<GatewaySettings, 'signIn'> {
  return signIn?.oidc ? { signIn: { oidc: buildOidc(signIn.oidc, sources, problems) } } : {}
}

function withTemplate(
  { jira: name }: ConnectionShape,
  jira?: JiraSettings,
): Pick<ConnectionSettings, 'jira'> {
  const template = jira?.templates.find((one) => one.name === name)
  return template === undefined ? {} : { jira: template }
}

function reviewsOf(
  { review, runbooks }: ConnectionShape,
  groups: KnownGroups,
  problems: Problems,
  path: Path,
): Pick<ConnectionSettings, 'review' | 'runbooks'> {
  const reviews = (shapes: NonNullable<typeof runbooks>['review']) =>
    buildRunbookReviews(shapes, groups, problems, [...path, 'runbooks', 'review'])
  return {
    ...(runbooks && {
      runbooks: {
        repository: runbooks.repository,
        path: runbooks.path,
        ...(runbooks.confirm.length > 0 && { confirm: runbooks.confirm }),
        ...(runbooks.review.length > 0 && { reviews: reviews(runbooks.review) }),
      },
    }),
    ...(review && { review: buildReview(review, groups, problems, [...path, 'review']) }),
  }
}

function buildConnection(
  shape: ConnectionShape,
  sources: Sources,
  problems: Problems,
  path: Path,
): Omit<ConnectionSettings, 'guardrails' | 'masking' | 'jira' | 'review' | 'runbooks'> {
  const { name, agent, type, subtype, tags, sessions, confirm, reason } = shape
  const command = shape.command ?? []
  // A tcp connection only has a port. Without a command its terminals and runbooks are refused by the agent.
  if (!shape.command && connectionType(type, subtype ?? undefined) !== 'tcp')
    problems.add([...path, 'command'], 'this setting is missing')
  const exec = shape.access.exec ?? true
  const {
    groups,
    connect,
    'client-input': clientInput,
    'client-escapes': clientEscapes,
    ...access
  } = shape.access
  if (connect === true && clientEscapes === 'block')
    problems.add(
      [...path, 'access', 'connect'],
      '"client-escapes: block" does not work on a terminal; remove "connect: true" or "client-escapes: block"',
    )
  checkUnreviewed(shape, problems, path)
  const why = clientEscapes === 'block' ? whyUnrestrictable(command[0] ?? '') : undefined
  if (why !== undefined)
    problems.add([...path, 'access', 'client-escapes'], `client escapes cannot be blocked here: ${why}`)
  return {
    name,
    agent,
    type,
    ...(subtype ? { subtype } : {}),
    tags,
    command,
    secrets: buildSecrets(shape, sources, problems, path),
    plain: declaresSecrets(shape) ? Object.keys(shape.env) : [],
    ...(sessions !== 'own' && { sessions }),
    ...(confirm && { confirm: true as const }),
    ...(reason && { reason }),
    access: {
      ...access,
      exec,
      connect: connect ?? (exec && clientEscapes !== 'block'),
      clientInput: clientInput ?? exec,
      clientEscapes: clientEscapes ?? usualEscapes(shape),
      ...(groups ? { groups } : {}),
    },
  }
}

/** Blocks escapes of a database client, unless users may send or type scripts: then blocking is useless. */
function usualEscapes({ type, command, access }: ConnectionShape): 'block' | 'allow' {
  const [program = ''] = command ?? []
  const isClient = databaseProgram(program) !== undefined || whyUnrestrictable(program) !== undefined
  const isDatabase = type === 'database' || isClient
  return isDatabase && access.exec === false && !access.connect ? 'block' : 'allow'
}

/**
 * Tests if `secrets` is used in its newer form, with names. Then the variables of `env` are not secret. If
 * `secrets` is missing, or has only hoop's form, all variables of `env` are secret, as in older versions.
 */
function declaresSecrets({ secrets }: ConnectionShape): boolean {
  if (secrets == null) return false
  const keys = Object.keys(secrets)
  return keys.length === 0 || !keys.every(isHoopForm)
}

function isHoopForm(key: string): boolean {
  return key.includes(':')
}

const BASE64_EXPECTED = 'base64 with its padding is expected'

/** Removes line breaks and checks the padding, as Go's decoder (protocol.md 5.5) and the agent do. */
function joinedBase64(written: string, wrong: () => void): string | undefined {
  const joined = written.replaceAll(/[\r\n]/g, '')
  if (joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined)) return joined
  wrong()
  return undefined
}

/** Joins `env`, `files` and `secrets` to one map, in the form of the wire. */
function buildSecrets(
  { env, files, secrets }: ConnectionShape,
  sources: Sources,
  problems: Problems,
  path: Path,
): Map<string, string> {
  const result = new Map<string, string>()
  const set = (setting: Path, key: string, encode: () => string | undefined): void => {
    const name = key.slice(key.indexOf(':') + 1)
    const isTaken = result.has(`envvar:${name}`) || result.has(`filesystem:${name}`)
    if (isTaken)
      problems.add([...path, ...setting], 'this connection already has a value with this name', 'key')
    else result.set(key, encode() ?? '')
  }
  for (const [name, value] of Object.entries(env)) {
    set(['env', name], `envvar:${name}`, () => Buffer.from(value).toString('base64'))
  }
  for (const [name, value] of Object.entries(files)) {
    const setting = ['files', name]
    set(setting, `filesystem:${name}`, () =>
      readBytes(value, sources, problems, [...path, ...setting])?.toString('base64'),
    )
  }
  for (const [key, value] of Object.entries(secrets ?? {})) {
    const setting = ['secrets', key]
    if (!isHoopForm(key)) set(setting, `envvar:${key}`, () => Buffer.from(value).toString('base64'))
    else
      set(setting, key, () => joinedBase64(value, () => problems.add([...path, ...setting], BASE64_EXPECTED)))
  }
  if (result.has(`envvar:${CLIENT_ESCAPES}`) || result.has(`filesystem:${CLIENT_ESCAPES}`))
    problems.add(
      path,
      `${CLIENT_ESCAPES} is only for connections of hoop's gateway; set access.client-escapes instead`,
    )
  const length = [...result].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (length > SECRETS_BYTES)
    problems.add(path, `the values of this connection are longer than ${SECRETS_BYTES} bytes in total`)
  return result
}

function knownGroups({ users, 'sign-in': signIn }: SettingsShape): KnownGroups {
  const mapped = Object.values(signIn?.oidc?.groups ?? {})
  if (signIn?.oidc && mapped.length === 0) return undefined
  return new Set([...users.flatMap(({ groups }) => groups), ...mapped])
}
