import type { RetryRefusal } from '../../contract/batch-requests.ts'
import type { ChoicesRefusal } from '../../contract/choices.ts'
import { httpStatus, type HttpCode, type HttpStatus } from '../../contract/statuses.ts'
import { REFUSALS } from './refusals.ts'

export interface ConnectionRefusal {
  readonly connection: string
  readonly code: HttpCode
  readonly message: string
}

interface Extras {
  /** Value of the header `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** True if the body also contains the status, as in hoop's answers about downloads. */
  readonly isStatusInBody?: boolean
  readonly refusals?: readonly ConnectionRefusal[]
  readonly retry?: RetryRefusal
  readonly choices?: ChoicesRefusal
}

/**
 * The request is impossible or not permitted. It has changed nothing and run nothing. `refused` makes one from a
 * sentence of the table; the constructor is for codes and sentences that another error brings.
 */
export class RequestRefused extends Error {
  override readonly name: string = 'RequestRefused'
  readonly code: HttpCode
  readonly status: HttpStatus
  readonly extras: Extras

  /** @param status only if it differs from the code's usual status */
  constructor(code: HttpCode, message: string, status: HttpStatus = httpStatus(code), extras: Extras = {}) {
    super(message)
    this.code = code
    this.status = status
    this.extras = extras
  }

  reworded(reword: (message: string) => string): RequestRefused {
    return new RequestRefused(this.code, reword(this.message), this.status, this.extras)
  }
}

/** A sign-in by a browser or a device has failed. */
export class SignInRefused extends RequestRefused {
  override readonly name = 'SignInRefused'
}

type Table = typeof REFUSALS
type Row = string | readonly [status: HttpStatus, text: string]

/** `batch-not-found`, or `batch-wrong-state/unsaved` if the code has several sentences. */
type Refusal = {
  [C in keyof Table]: Table[C] extends Row ? C : `${C}/${keyof Table[C] & string}`
}[keyof Table]

type RowOf<R extends Refusal> = R extends keyof Table
  ? Table[R]
  : R extends `${infer C extends keyof Table}/${infer Name}`
    ? Table[C][Name & keyof Table[C]]
    : never
type TextOf<R> = R extends readonly [HttpStatus, infer Text] ? Text : R
type NamesIn<Text> = Text extends `${string}<${infer Name}>${infer Rest}` ? Name | NamesIn<Rest> : never
type Details<Names extends string> = Readonly<Record<Names, string | number>>
type Given<Names extends string> = [Names] extends [never]
  ? [details?: Readonly<Record<string, never>>, extras?: Extras]
  : [details: Details<Names>, extras?: Extras]

/** The rows of the table, by their names. */
export const ROWS: ReadonlyMap<
  string,
  { readonly code: HttpCode; readonly status: HttpStatus; readonly text: string }
> = new Map(
  Object.entries<Row | Readonly<Record<string, Row>>>(REFUSALS).flatMap(([key, rows]) => {
    const code = key as HttpCode
    const named = isRow(rows)
      ? [[key, rows] as const]
      : Object.entries(rows).map(([name, row]) => [`${key}/${name}`, row] as const)
    return named.map(([name, row]) => {
      const [status, text] = typeof row === 'string' ? [httpStatus(code), row] : row
      return [name, { code, status, text }]
    })
  }),
)

function isRow(rows: Row | Readonly<Record<string, Row>>): rows is Row {
  return typeof rows === 'string' || Array.isArray(rows)
}

/** Makes the refusal of a row, with the details that its sentence names. */
export const refused = refusing(RequestRefused)
export const signInRefused = refusing(SignInRefused)

function refusing<E>(Refused: new (...parts: ReturnType<typeof made>) => E) {
  return <R extends Refusal>(row: R, ...given: Given<NamesIn<TextOf<RowOf<R>>>>): E =>
    new Refused(...made(row, given))
}

function made(
  name: Refusal,
  [details = {}, extras = {}]: readonly [details?: Details<string>, extras?: Extras],
): [HttpCode, string, HttpStatus, Extras] {
  const row = ROWS.get(name)
  if (row === undefined) throw new Error(`no refusal ${name}`)
  const text = row.text.replaceAll(/<(\w+)>/g, (_, detail: string) => String(details[detail]))
  return [row.code, text, row.status, extras]
}
