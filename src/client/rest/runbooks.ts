import * as v from 'valibot'
import { runbookContract, type RunbookAnswer } from '../../contract/runbooks.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { call, type Read } from './call.ts'

export interface Parameter {
  readonly name: string
  /** `text`, `number`, `tel`, `time`, `date`, `url`, `email`, `select`, `textarea`, `password` or `file`. */
  readonly type: string
  readonly required: boolean
  /** Never empty. A parameter with a default is optional. */
  readonly default: string | undefined
  readonly description: string
  readonly placeholder: string
  readonly options: readonly string[]
  /** The list of the values. Always undefined on hoop's gateway. */
  readonly optionsFrom?: { readonly list: string; readonly of?: string | undefined } | undefined
  /** A pattern in Go's syntax. It may match only a part of the value. */
  readonly pattern: string | undefined
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
}

export interface Runbook {
  readonly name: string
  /** The title in the comment at the beginning of the file. Always undefined on hoop's gateway. */
  readonly title?: string | undefined
  readonly description?: string | undefined
  /** In the order in which people enter the values. */
  readonly parameters: readonly Parameter[]
  /** Names of the parameters that only blocks use. Undefined on hoop's gateway. */
  readonly inBlocks?: readonly string[]
  /**
   * Whether a run on the list's connection needs a confirmation. Undefined when the gateway does not send it.
   */
  readonly needsConfirmation?: boolean | undefined
  /** Path of the runbook that has to run before this one. Always undefined on hoop's gateway. */
  readonly first?: string
  readonly error: string | undefined
  /** Undefined on gateways with only the first version of the interface. */
  readonly repository: string | undefined
}

export interface RunbookList {
  readonly runbooks: readonly Runbook[]
  /** Undefined on gateways with only the first version of the interface. */
  readonly repositories: readonly string[] | undefined
  readonly errors: readonly string[]
}

// Gateways pass on a file's description of a parameter unchanged, so the contract does not limit these
// fields.

/** Reads an empty text as missing. */
const Text = v.fallback(
  v.pipe(
    v.optional(v.string()),
    v.transform((text) => (text === '' ? undefined : text)),
  ),
  undefined,
)
const Count = v.fallback(
  v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.number())),
  undefined,
)
const Metadata = v.object({
  type: Text,
  required: v.fallback(v.boolean(), false),
  default: Text,
  description: Text,
  placeholder: Text,
  options: v.fallback(v.array(v.string()), []),
  options_from: v.fallback(v.optional(v.object({ list: v.string(), of: v.optional(v.string()) })), undefined),
  pattern: Text,
  minlength: Count,
  maxlength: Count,
  order: Count,
})

/** @throws ApiError `not-found` when the gateway lacks the connection, or hides it from us */
export async function fetchRunbooks(
  account: Account,
  connection: string,
  signal?: AbortSignal,
): Promise<RunbookList> {
  return (
    (await orNoList(listV2(account, connection, signal))) ??
    (await orNoList(listV1(account, connection, signal))) ?? {
      runbooks: [],
      repositories: undefined,
      errors: [],
    }
  )
}

async function listV2(
  account: Account,
  connection: string,
  signal?: AbortSignal,
): Promise<RunbookList | undefined> {
  const sending = { query: { connection_name: connection }, signal }
  const { repositories, errors, raw } = await call(account, runbookContract.list, {}, sending)
  // Then this is an older gateway, which has only the first version of the interface.
  if (!('repositories' in raw) || !Array.isArray(raw.repositories)) return undefined
  return {
    runbooks: repositories.flatMap(({ repository, items }) =>
      items.map((item) => toRunbook(item, repository)),
    ),
    repositories: repositories.map(({ repository }) => repository),
    errors,
  }
}

async function listV1(account: Account, name: string, signal?: AbortSignal): Promise<RunbookList> {
  const { items } = await call(account, runbookContract.connectionTemplates, { name }, { signal })
  return { runbooks: items.map((item) => toRunbook(item, undefined)), repositories: undefined, errors: [] }
}

/** Returns undefined if the gateway has no list, because it is older or has no configured runbooks. */
async function orNoList<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.kind === 'no-gateway' || isNoList(error)) return undefined
    throw error
  }
}

/**
 * Whether the error says that the gateway has no list. An error about a missing connection does not say it.
 */
function isNoList({ kind, code, message }: ApiError): boolean {
  if (code !== undefined) return code === 'endpoint-not-found'
  return kind === 'not-found' && !message.includes('connection')
}

/** Reads an item of the first or the second version of the interface. */
function toRunbook(
  {
    name,
    title,
    description,
    metadata,
    error,
    block_metadata: inBlocks,
    confirm,
    first,
  }: Read<RunbookAnswer>,
  repository: string | undefined,
): Runbook {
  const described = Object.entries(metadata).map(
    ([parameter, declared]) => [parameter, v.parse(Metadata, declared)] as const,
  )
  // Parameters without an order come last, in the file's order.
  described.sort(([, { order: first = Infinity }], [, { order: second = Infinity }]) =>
    first === second ? 0 : first - second,
  )
  return {
    name,
    ...(title !== '' && { title }),
    ...(description !== '' && { description }),
    parameters: described.map(([parameter, declared]) => toParameter(parameter, declared)),
    ...(inBlocks && { inBlocks: Object.keys(inBlocks) }),
    ...(confirm !== undefined && { needsConfirmation: confirm }),
    ...(first !== '' && { first }),
    error: error === '' ? undefined : error,
    repository,
  }
}

function toParameter(name: string, declared: v.InferOutput<typeof Metadata>): Parameter {
  return {
    name,
    type: declared.type ?? 'text',
    required: declared.required,
    default: declared.default,
    description: declared.description ?? '',
    placeholder: declared.placeholder ?? '',
    options: declared.options,
    ...(declared.options_from !== undefined && { optionsFrom: declared.options_from }),
    pattern: declared.pattern,
    minLength: declared.minlength,
    maxLength: declared.maxlength,
  }
}

export interface CatalogEntry {
  readonly runbook: Runbook
  readonly connections: readonly string[]
  readonly commit: string
  /** The gateway's item, plus `repository` and `commit`. */
  readonly raw: object
}

export interface RunbookCatalog {
  readonly entries: readonly CatalogEntry[]
  readonly errors: readonly string[]
}

/**
 * Returns all runbooks, or those of one connection. Returns undefined when the gateway has no list.
 * @throws ApiError `not-found` for an unknown connection
 */
export async function fetchCatalog(
  account: Account,
  connection?: string,
  signal?: AbortSignal,
): Promise<RunbookCatalog | undefined> {
  return (
    (await orNoList(secondVersion(account, connection, signal))) ??
    (await orNoList(firstVersion(account, connection, signal)))
  )
}

async function secondVersion(
  account: Account,
  connection: string | undefined,
  signal: AbortSignal | undefined,
): Promise<RunbookCatalog> {
  const query = {
    list_connections: 'true',
    ...(connection !== undefined && { connection_name: connection }),
  }
  const { repositories, errors } = await call(account, runbookContract.list, {}, { query, signal })
  const entries = repositories.flatMap(({ repository, commit, items }) =>
    items.map((item) => entryOf(item, { repository, commit, connection })),
  )
  return { entries, errors }
}

async function firstVersion(
  account: Account,
  connection: string | undefined,
  signal: AbortSignal | undefined,
): Promise<RunbookCatalog> {
  const { templates, connectionTemplates } = runbookContract
  const { items, commit } = await (connection === undefined
    ? call(account, templates, {}, { signal })
    : call(account, connectionTemplates, { name: connection }, { signal }))
  const entries = items.map((item) => entryOf(item, { repository: undefined, commit, connection }))
  return { entries, errors: [] }
}

interface Origin {
  readonly repository: string | undefined
  readonly commit: string
  /** The requested connection, which the list of the first version does not repeat. */
  readonly connection: string | undefined
}

function entryOf(item: Read<RunbookAnswer>, { repository, commit, connection }: Origin): CatalogEntry {
  const { connections = [], raw } = item
  return {
    runbook: toRunbook(item, repository),
    connections: connections.length === 0 && connection !== undefined ? [connection] : connections,
    commit,
    raw: { ...raw, repository: repository ?? null, commit },
  }
}
