import * as v from 'valibot'
import {
  isNeeded,
  pathOf,
  usualStatus,
  type AnswerOf,
  type ContractOperation,
  type Params,
  type Sent,
} from '../../contract/contract.ts'
import type { Account } from '../account/account.ts'
import { askJson, askWell, discardBody } from './json.ts'

/**
 * An answer as this program reads it. Gateways of other versions may leave fields out or send new words: a
 * missing text is '', a list without entries is [], and `raw` keeps the object as it was sent. hoop's gateway
 * sends empty lists as null. Only the fields that the contract marks as needed must be present.
 */
export type Read<T> = unknown extends T
  ? T
  : T extends readonly (infer E)[]
    ? readonly Read<E>[]
    : T extends string
      ? string
      : T extends boolean
        ? boolean
        : T extends object
          ? string extends keyof T
            ? { readonly [K in keyof T]: Read<T[K]> }
            : { readonly [K in keyof Required<T>]: ReadField<T[K]> } & { readonly raw: object }
          : T
type ReadField<T> = [NonNullable<T>] extends [never]
  ? undefined
  : [NonNullable<T>] extends [string]
    ? string
    : [T] extends [readonly unknown[] | boolean | number]
      ? Read<T>
      : [string, T] extends [keyof T, object]
        ? Read<T>
        : Read<NonNullable<T>> | undefined

/** Parts of a request beside the parameters of its path. */
type Sending<O extends ContractOperation> = {
  readonly query?: Readonly<Partial<Record<keyof O['query'] & string, string>>>
  /** Time for the answer instead of 30 s. */
  readonly answerMs?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
} & (Sent<O> extends undefined ? { readonly body?: undefined } : { readonly body: Sent<O> })

/** Calls an operation of the gateway. An answer without content is read as undefined. @throws ApiError */
export async function call<O extends ContractOperation>(
  account: Account,
  operation: O,
  params: Params<O>,
  ...[sending]: O extends { readonly body: v.GenericSchema } ? [Sending<O>] : [Sending<O>?]
): Promise<Read<AnswerOf<O>>> {
  const { method, path, role, answers } = operation
  const { query = {}, body, ...more } = (sending ?? {}) as Partial<Sending<ContractOperation>>
  const options = new URLSearchParams(query).toString()
  const question = {
    ...more,
    method,
    path: pathOf(path, params) + (options === '' ? '' : `?${options}`),
    body: body as object | undefined,
    isPublic: role === 'public',
  }
  const usual = usualStatus(operation) ?? 200
  if (usual === 204) {
    await discardBody(await askWell(account, question))
    return undefined as Read<AnswerOf<O>>
  }
  const shapeFor = (status: number) => readable(answers[status] ?? answers[usual] ?? v.null())
  return (await askJson(account, question, shapeFor)).value as Read<AnswerOf<O>>
}

type Listed = v.ArraySchema<v.GenericSchema, undefined>
type Keyed = v.StrictObjectSchema<v.ObjectEntries, undefined>
type Wrapping = v.NullableSchema<v.GenericSchema, undefined>
type Choice = v.UnionSchema<v.GenericSchema[], undefined>
type Mapped = v.RecordSchema<v.GenericSchema<string, string>, v.GenericSchema, undefined>

const NOTHING = v.optional(
  v.pipe(
    v.unknown(),
    v.transform(() => undefined),
  ),
)

/**
 * Returns the lenient form of an answer's shape. An answer that this form cannot read does not come from a
 * gateway.
 */
export function readable(shape: v.GenericSchema): v.GenericSchema {
  switch (shape.type) {
    case 'array':
      return v.pipe(
        v.nullable(v.array(readableItem((shape as Listed).item))),
        v.transform((list) => list ?? []),
      )
    case 'strict_object':
      return readableObject((shape as Keyed).entries)
    case 'nullable':
      return v.union([v.null(), readable((shape as Wrapping).wrapped)])
    case 'union':
      return v.union((shape as Choice).options.map(readable))
    default:
      throw new Error(`no answer is read as ${shape.type}`)
  }
}

function readableObject(entries: v.ObjectEntries): v.GenericSchema {
  const fields = Object.entries(entries).map(([name, field]) => [name, readableField(field)])
  const known = v.object(Object.fromEntries(fields) as v.ObjectEntries)
  return v.pipe(
    v.looseObject({}),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const read = v.safeParse(known, dataset.value)
      if (read.success) return { ...read.output, raw: dataset.value }
      addIssue({ message: read.issues[0].message })
      return NEVER
    }),
  )
}

function readableField(field: v.GenericSchema): v.GenericSchema {
  const isOptional = !isNeeded(field)
  if (isText(field)) return isOptional ? v.fallback(v.optional(v.string(), ''), '') : v.string()
  switch (field.type) {
    case 'literal':
    case 'boolean':
      return isOptional ? v.fallback(v.optional(v.boolean(), false), false) : v.boolean()
    case 'number':
      return isOptional ? v.fallback(v.optional(v.number(), 0), 0) : v.number()
    case 'array': {
      const item = readableItem((field as Listed).item)
      return isOptional ? v.fallback(v.optional(listOf(item), []), []) : v.array(item)
    }
    case 'record':
      return v.fallback(v.optional(v.record(v.string(), readableItem((field as Mapped).value)), {}), {})
    case 'nullable':
    case 'optional':
      return readableNullable((field as Wrapping).wrapped)
    case 'null':
      return NOTHING
    default:
      return isOptional ? v.fallback(v.optional(readable(field)), undefined) : readable(field)
  }
}

/** Drops entries that cannot be read and keeps the others. */
function listOf(item: v.GenericSchema): v.GenericSchema {
  const isRead = (entry: unknown) => v.safeParse(item, entry).success
  return v.pipe(
    v.array(v.unknown()),
    v.transform((entries) => entries.filter((entry) => isRead(entry))),
    v.array(item),
  )
}

/** Whether the schema is a text. A literal that is no text is a boolean. */
function isText({ type, literal }: v.GenericSchema & { readonly literal?: unknown }): boolean {
  return type === 'string' || type === 'picklist' || (type === 'literal' && typeof literal === 'string')
}

function readableItem(item: v.GenericSchema): v.GenericSchema {
  switch (item.type) {
    case 'unknown':
      return item
    case 'number':
      return v.number()
    case 'record':
      return v.fallback(v.record(v.string(), readableItem((item as Mapped).value)), {})
    case 'array':
    case 'strict_object':
      return readable(item)
    default:
      return v.string()
  }
}

/**
 * Reads a null or missing text as '', and every other null or missing value as undefined. An invalid number
 * is undefined, too, and not 0.
 */
function readableNullable(wrapped: v.GenericSchema): v.GenericSchema {
  if (isText(wrapped)) return v.fallback(v.nullish(v.string(), ''), '')
  const absent = v.pipe(
    v.null(),
    v.transform(() => undefined),
  )
  // valibot accepts a missing key only for an optional field; a fallback to undefined does not make the field
  // optional.
  const present = wrapped.type === 'number' ? v.number() : readableField(wrapped)
  return v.fallback(v.optional(v.union([absent, present])), undefined)
}
