import * as v from 'valibot'
import {
  isNeeded,
  pathOf,
  type AnswerOf,
  type ContractOperation,
  type Params,
} from '../../../contract/contract.ts'
import type { Account } from '../../account/account.ts'
import { askJson } from './json.ts'

/**
 * An answer as it is read. Gateways of other versions may leave fields out or send words that are new: a text that is
 * missing is '', a list without entries is [], and an object keeps what was sent in `raw`. Only what the contract marks
 * as needed must be there.
 */
export type Read<T> = T extends readonly (infer E)[]
  ? readonly Read<E>[]
  : T extends string | null
    ? string
    : T extends object
      ? { readonly [K in keyof T]: ReadField<T[K]> } & { readonly raw: object }
      : T
type ReadField<T> = null extends T
  ? NonNullable<T> extends string
    ? string
    : Read<NonNullable<T>> | undefined
  : Read<T>

/** Calls an operation of the gateway. @param answerMs time for the answer instead of 30 s @throws ApiError */
export async function call<O extends ContractOperation>(
  account: Account,
  { method, path, answers }: O,
  params: Params<O>,
  answerMs?: number,
): Promise<Read<AnswerOf<O>>> {
  const question = { method, path: pathOf(path, params), answerMs }
  const answer: v.GenericSchema = answers[200] ?? v.null()
  const { value } = await askJson(account, question, readable(answer))
  return value as Read<AnswerOf<O>>
}

/** The lenient form of an answer's shape. An answer that it cannot read does not come from a gateway. */
function readable(shape: v.GenericSchema): v.GenericSchema {
  const { type } = shape
  if (type === 'array') return v.array(readable((shape as Listed).item))
  if (type === 'strict_object') return readableObject((shape as Keyed).entries)
  throw new Error(`no answer is read as ${type}`)
}

type Listed = v.ArraySchema<v.GenericSchema, undefined>
type Keyed = v.StrictObjectSchema<v.ObjectEntries, undefined>
type Nullable = v.NullableSchema<v.GenericSchema, undefined>

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
  switch (field.type) {
    case 'string':
    case 'picklist':
      return isOptional ? v.fallback(v.optional(v.string(), ''), '') : v.string()
    case 'boolean':
      return isOptional ? v.fallback(v.optional(v.boolean(), false), false) : v.boolean()
    case 'number':
      return isOptional ? v.fallback(v.optional(v.number(), 0), 0) : v.number()
    case 'array':
      return v.fallback(v.optional(v.array(readableItem((field as Listed).item)), []), [])
    case 'nullable':
      return readableNullable((field as Nullable).wrapped)
    default:
      return v.fallback(v.optional(readable(field)), undefined)
  }
}

function readableItem(item: v.GenericSchema): v.GenericSchema {
  return item.type === 'strict_object' ? readable(item) : v.string()
}

/** A text that is null reads as '', all else as undefined. */
function readableNullable(wrapped: v.GenericSchema): v.GenericSchema {
  if (wrapped.type === 'string') return v.fallback(v.nullish(v.string(), ''), '')
  const absent = v.pipe(
    v.null(),
    v.transform(() => undefined),
  )
  // valibot takes a missing key only for an optional field: a fallback of undefined is none to it.
  return v.fallback(v.optional(v.union([absent, readableField(wrapped)])), undefined)
}
