import type { Connection } from './sqlite.ts'

/** The rows of each room. The store does not know the rooms: each room adds its rows by `declare module`. */
export interface Tables {}

/** Names of columns, per table. */
type Columns = Readonly<Record<string, readonly string[]>>

export interface Room<Rows> {
  readonly rows: (db: Connection) => Rows
  /**
   * The key is a schema version. The value is the SQL that changes the version before it to this version. The
   * rooms share one sequence of versions: each version has a step in exactly one room.
   */
  readonly steps: Readonly<Record<number, string>>
  /** Tables and columns whose changes count as changes of the room. An empty list means all columns. */
  readonly watched?: Readonly<Record<string, readonly string[]>>
  /** The JSON columns of each table. If such a column has other text, the program cannot read the row. */
  readonly json?: Columns
  /** The JSON columns in which an empty text stands for a value that nobody needs any more. */
  readonly emptied?: Columns
  /** For each table, makes the SQL condition that finds rows whose session is missing. */
  readonly orphans?: Readonly<Record<string, (has: (table: string) => boolean) => string>>
}

/** All rooms. The compiler reports a room of `Tables` that is missing in the list. */
export type Rooms = { readonly [Name in keyof Tables]: Room<Tables[Name]> }

export interface Layout {
  /** SQL from an empty file to the newest version. */
  readonly steps: readonly string[]
  readonly json: Readonly<Record<string, readonly JsonColumn[]>>
  readonly orphans: NonNullable<Room<unknown>['orphans']>
}

interface JsonColumn {
  readonly column: string
  /** SQL condition that finds rows which the program cannot read. False or null for the others. */
  readonly isBroken: string
}

export function layoutOf(rooms: Rooms): Layout {
  const all = Object.values<Room<unknown>>(rooms)
  return {
    steps: inOrder(all.flatMap(({ steps }) => Object.entries(steps))),
    json: merged(all.map(({ json = {}, emptied = {} }) => jsonColumns(json, emptied))),
    orphans: anyOf(merged(all.map(({ orphans = {} }) => mapped(orphans, (condition) => [condition])))),
  }
}

function jsonColumns(json: Columns, emptied: Columns): Layout['json'] {
  const any = mapped(json, (columns) =>
    columns.map((column) => ({ column, isBroken: `NOT json_valid("${column}")` })),
  )
  const orEmpty = mapped(emptied, (columns) =>
    columns.map((column) => ({ column, isBroken: `"${column}" <> '' AND NOT json_valid("${column}")` })),
  )
  return merged([any, orEmpty])
}

/** A table may be in the lists of several rooms: each room adds columns. */
function merged<T>(lists: readonly Readonly<Record<string, readonly T[]>>[]): Record<string, T[]> {
  const all: Record<string, T[]> = {}
  for (const [table, list] of lists.flatMap((one) => Object.entries(one)))
    all[table] = [...(all[table] ?? []), ...list]
  return all
}

type Orphans = Layout['orphans']

function anyOf(conditions: Readonly<Record<string, readonly Orphans[string][]>>): Orphans {
  return mapped(
    conditions,
    (some) => (has: Parameters<Orphans[string]>[0]) => some.map((one) => `(${one(has)})`).join(' OR '),
  )
}

function mapped<From, To>(of: Readonly<Record<string, From>>, by: (one: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(of).map(([name, one]) => [name, by(one)]))
}

/** Throws, when the program is loaded, if a version is missing or not unique. */
function inOrder(found: readonly [version: string, sql: string][]): string[] {
  const sorted = found.toSorted(([a], [b]) => Number(a) - Number(b))
  const wrong = sorted.findIndex(([version], at) => Number(version) !== at + 1)
  if (wrong !== -1) throw new Error(`the step to version ${wrong + 1} is missing, or several rooms have it`)
  return sorted.map(([, sql]) => sql)
}

export function tablesOf(db: Connection, rooms: Rooms): Tables {
  const rows = Object.entries<Room<unknown>>(rooms).map(([name, room]) => [name, room.rows(db)])
  return Object.fromEntries(rows) as Tables
}
