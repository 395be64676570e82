import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { ApiError } from './http/api-error.ts'
import { askJson } from './http/json.ts'

/** What a runbook says about one of its parameters. All but name and default help a person to fill it in. */
export interface Parameter {
  readonly name: string
  /** text, number, tel, time, date, url, email, select, textarea, password or file. */
  readonly type: string
  /** Whether an empty value is refused. */
  readonly required: boolean
  /** Never empty. With a default the parameter may be left out. */
  readonly default: string | undefined
  readonly description: string
  readonly placeholder: string
  readonly options: readonly string[]
  /** A regular expression in Go's syntax, which need not match the whole value. */
  readonly pattern: string | undefined
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
}

export interface Runbook {
  readonly name: string
  /** In the order in which people should be asked. */
  readonly parameters: readonly Parameter[]
  /** All that its template may use, also inside of blocks only; undefined where nobody says, as at hoop's gateway. */
  readonly usedNames?: readonly string[]
  /** Why it cannot be run. */
  readonly error: string | undefined
  /** Its name in the second version of the interface; undefined on gateways that have only the first. */
  readonly repository: string | undefined
}

export interface RunbookList {
  readonly runbooks: readonly Runbook[]
  /** Names of the repositories; undefined on gateways that have only the first version of the interface. */
  readonly repositories: readonly string[] | undefined
  /** What the gateway could not read. */
  readonly errors: readonly string[]
}

/** An empty text counts as none. */
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
const Metadata = v.fallback(
  v.looseObject({
    type: Text,
    required: v.fallback(v.boolean(), false),
    default: Text,
    description: Text,
    placeholder: Text,
    options: v.fallback(v.array(v.string()), []),
    pattern: Text,
    minlength: Count,
    maxlength: Count,
    order: Count,
  }),
  { required: false, options: [] },
)

const Item = v.object({
  name: v.string(),
  metadata: v.fallback(v.nullish(v.record(v.string(), Metadata), {}), {}),
  error: Text,
  used_names: v.fallback(v.optional(v.array(v.string())), undefined),
})

const ListV2 = v.object({
  errors: v.nullish(v.array(v.string()), []),
  repositories: v.array(v.object({ repository: v.string(), items: v.nullish(v.array(Item), []) })),
})
const ListV1 = v.object({ items: v.nullish(v.array(Item), []) })

/** @throws ApiError `not-found` when the gateway does not have the connection, or hides it from us */
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

async function listV2(account: Account, connection: string, signal?: AbortSignal): Promise<RunbookList> {
  const path = `/api/runbooks?connection_name=${encodeURIComponent(connection)}`
  const { value } = await askJson(account, { method: 'GET', path, signal }, ListV2)
  return {
    runbooks: value.repositories.flatMap(({ repository, items }) =>
      items.map((item) => toRunbook(item, repository)),
    ),
    repositories: value.repositories.map(({ repository }) => repository),
    errors: value.errors,
  }
}

async function listV1(account: Account, connection: string, signal?: AbortSignal): Promise<RunbookList> {
  const path = `/api/plugins/runbooks/connections/${encodeURIComponent(connection)}/templates`
  const { value } = await askJson(account, { method: 'GET', path, signal }, ListV1)
  return {
    runbooks: value.items.map((item) => toRunbook(item, undefined)),
    repositories: undefined,
    errors: [],
  }
}

/** Undefined when there is no such list: an older gateway, or one where nobody has configured it. */
export async function orNoList<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.kind === 'no-gateway' || isNoList(error)) return undefined
    throw error
  }
}

/** Whether the list is missing, and not the connection. */
function isNoList({ kind, code, message }: ApiError): boolean {
  if (code !== undefined) return code === 'endpoint-not-found'
  return kind === 'not-found' && !message.includes('connection')
}

/** An item of either list, as the gateway has sent it. */
export const RawRunbook = v.looseObject({ name: v.string() })

/** What an item says. @throws ValiError when it has not the shape of one */
export function readRunbook(raw: v.InferOutput<typeof RawRunbook>, repository: string | undefined): Runbook {
  return toRunbook(v.parse(Item, raw), repository)
}

function toRunbook(
  { name, metadata, error, used_names: usedNames }: v.InferOutput<typeof Item>,
  repository: string | undefined,
): Runbook {
  const described = Object.entries(metadata)
  // Parameters without an order stay as they come, after the others.
  described.sort(([, { order: first = Infinity }], [, { order: second = Infinity }]) =>
    first === second ? 0 : first - second,
  )
  return {
    name,
    parameters: described.map(([parameter, declared]) => toParameter(parameter, declared)),
    ...(usedNames && { usedNames }),
    error,
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
    pattern: declared.pattern,
    minLength: declared.minlength,
    maxLength: declared.maxlength,
  }
}
