import { randomUUID } from 'node:crypto'
import type { BatchBody } from '../../contract/batch-requests.ts'
import { checkLimits } from '../executions/limits.ts'
import { checkAlone } from '../executions/pairs.ts'
import { checkReason } from '../executions/reason.ts'
import {
  allowedRepository,
  checkRunbookAccess,
  repositoryNamed,
  type RunbookServices,
} from '../executions/runbook-access.ts'
import { checkPacketSize, executionRequest } from '../executions/runbook-execution.ts'
import { renderRunbook } from '../executions/runbook-request.ts'
import type { AccessToken, GatewayUser } from '../identity.ts'
import type { Tickets } from '../jira/tickets.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { NamedRepository } from '../runbooks/repositories.ts'
import { hasTags, TAG_KEY, TAG_VALUE } from '../settings/connections.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { AskedBatch } from './asked-batch.ts'
import type { Batches } from './batches.ts'
import { batchRefused, checkEach, connectionRefusal } from './batch-refused.ts'
import { checkUse, type BatchRequest } from './run-request.ts'

export interface PreparingServices extends RunbookServices {
  readonly batches: Batches
  readonly tickets: Tickets
  readonly users: Users
}

export interface BatchAsking {
  readonly user: GatewayUser
  readonly token: AccessToken
  readonly caller: string
}

/** Maximum number of connections in one batch. The number of a user's sessions has its own limit. */
const MAX_CONNECTIONS = 500
/** Default number of parallel runs. An agent on a small machine can run this number of scripts at once. */
const USUAL_PARALLEL = 10

/** Checks all connections and renders the runbook before anything runs. @throws RequestRefused */
export async function prepareBatch(
  services: PreparingServices,
  asking: BatchAsking,
  body: BatchBody,
): Promise<AskedBatch> {
  checkLimits(body)
  const connections = selectConnections(services.users, asking.user, body)
  if (connections.length > MAX_CONNECTIONS)
    throw refused('too-large/connections', { most: MAX_CONNECTIONS, count: connections.length })
  for (const connection of connections) checkReason({ connection, reason: body.reason }, body.file_name)
  const terms = termsOf(services, body, connections.length)
  const repository = checkedRepository(services, connections, body)
  const { request, commit, warning } = await renderedRequest(repository, { asking, connections, body })
  checkEach(connections, (connection) => checkRun(services, connection, request))
  return {
    id: request.sessionBatchId ?? '',
    connections,
    request,
    commit,
    warning,
    ...terms,
    repository: repository.key,
    file: body.file_name,
    parameters: request.labels['runbookParameters'] ?? '{}',
    brought: { envVars: Object.keys(body.env_vars), hasArguments: body.client_args.length > 0 },
  }
}

function termsOf(services: PreparingServices, body: BatchBody, total: number) {
  const waves = parseWaves([body.waves ?? USUAL_WAVES].flat().join(), total)
  if (waves === undefined) throw refused('invalid-request/waves')
  const threshold = parseStopAfter(String(body.stop_after ?? 1), total)
  if (threshold === undefined) throw refused('invalid-request/stop-after')
  const most = services.batches.mostParallel
  const parallel = body.parallel ?? Math.min(USUAL_PARALLEL, most)
  if (parallel > most) throw refused('invalid-request/parallel', { most })
  return { waves, threshold, parallel }
}

/**
 * Returns the repository of the batch. All connections must use the same repository, because otherwise the
 * runs would differ.
 * @throws RequestRefused
 */
function checkedRepository(
  services: PreparingServices,
  connections: readonly ConnectionSettings[],
  body: BatchBody,
): NamedRepository {
  const { repository: asked } = body
  checkEach(connections, (connection) => {
    const own = connection.runbooks?.repository
    checkRunbookAccess(
      connection,
      asked ? allowedRepository(services, connection, asked) : own,
      body.file_name,
    )
  })
  const names = [...new Set(connections.map(({ runbooks }) => runbooks?.repository))]
  if (names.length === 1) return repositoryNamed(services, names[0])
  throw refused('invalid-request/several-repositories', { names: names.join(', ') })
}

interface Rendering {
  readonly asking: BatchAsking
  readonly connections: readonly ConnectionSettings[]
  readonly body: BatchBody
}

/**
 * Renders the runbook once, at one commit. All connections get the same script, because a template cannot use
 * the name of the connection.
 */
async function renderedRequest(
  { repository, key }: NamedRepository,
  { asking, connections, body }: Rendering,
) {
  const [first] = connections as [ConnectionSettings]
  const source = { repository, folder: first.runbooks?.path ?? '' }
  const rendered = await renderRunbook(source, body)
  checkAlone(body.file_name, rendered.first, 'a batch')
  const { script, envVars, secretValues, origin, choices, labels, commit, warning } = rendered
  const { user, token: askedWith, caller: clientIp } = asking
  const common = executionRequest({ user, connection: first, body, script, envVars })
  const request: BatchRequest = {
    ...common,
    origin: 'client-api-runbooks',
    verb: 'exec',
    secretValues,
    rendered: origin,
    choices,
    askedWith,
    clientIp,
    labels: { ...labels, runbookRepository: key },
    sessionBatchId: randomUUID(),
  }
  return { request, commit, warning }
}

/** @throws RequestRefused */
function checkRun(
  { tickets }: PreparingServices,
  connection: ConnectionSettings,
  request: BatchRequest,
): void {
  const own = { ...request, connection }
  checkUse(connection, request)
  checkPacketSize(own)
  tickets.check(own, request.jiraFields ?? {})
}

/**
 * Selects connections by their names, in this order, or by tags. If the request has names and tags, each
 * named connection must have the tags. Thus a batch with names never runs on other connections.
 * @throws RequestRefused
 */
function selectConnections(
  users: Users,
  user: GatewayUser,
  { connections: asked, tags }: Pick<BatchBody, 'connections' | 'tags'>,
): readonly ConnectionSettings[] {
  const selector = selectorOf(tags)
  const names = [...new Set(asked)]
  if (names.length === 0 && selector.length === 0) throw refused('invalid-request/no-connections')
  const found = names.length === 0 ? users.connections(user).filter((one) => hasTags(one.tags, selector)) : []
  if (names.length === 0 && found.length === 0) throw refused('connection-not-found/tags')
  if (names.length === 0) return found
  const refusals = names.flatMap((name) =>
    connectionRefusal(name, () => {
      const one = users.visibleConnection(user, name)
      if (!hasTags(one.tags, selector)) throw refused('invalid-request/connection-tags')
    }),
  )
  if (refusals.length > 0) throw batchRefused(refusals, names.length)
  return names.map((name) => users.visibleConnection(user, name))
}

function selectorOf(tags: BatchBody['tags']) {
  return Object.entries(tags).map(([key, value]) => {
    if (!TAG_KEY.test(key) || !TAG_VALUE.test(value)) throw refused('invalid-request/tags')
    return { key, value, isExcluded: false }
  })
}

/** By default, the first wave has one connection, and the second wave has all others. */
const USUAL_WAVES = '1,rest'

/**
 * Divides `total` connections into waves, as in `1,10%,rest`. If the text leaves connections over, they form
 * one more wave.
 * @returns the sizes of the waves, which are never 0; undefined for malformed text
 */
export function parseWaves(text: string, total: number): readonly number[] | undefined {
  const words = text.split(',').map((word) => word.trim())
  const sizes: number[] = []
  let left = total
  for (const [at, word] of words.entries()) {
    const isRest = word === 'rest' && at === words.length - 1
    const size = isRest ? left : amountOf(word, total)
    if (size === undefined) return undefined
    if (left > 0) sizes.push(Math.min(size, left))
    left -= Math.min(size, left)
  }
  return left > 0 ? [...sizes, left] : sizes
}

/**
 * Returns the number of failures at which a batch stops. The text is `3`, or `10%` of all runs. Returns
 * undefined for malformed text.
 */
export function parseStopAfter(text: string, total: number): number | undefined {
  return amountOf(text.trim(), total)
}

/** Rounds percentages up, so that the number is at least 1. */
function amountOf(word: string, total: number): number | undefined {
  const [, digits, percent] = /^(\d{1,6})(%?)$/.exec(word) ?? []
  const number = Number(digits)
  if (digits === undefined || number < 1) return undefined
  if (percent === '') return number
  return number <= 100 ? Math.ceil((total * number) / 100) : undefined
}
