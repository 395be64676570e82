import type { Connection } from './sqlite.ts'

/** The rows of each room. The store does not know the rooms: each room adds its rows by `declare module`. */
export interface Tables {}

export interface Room<Rows> {
  readonly rows: (db: Connection) => Rows
  /** SQL by the schema version that the step creates. The versions are one sequence over all rooms. */
  readonly steps: Readonly<Record<number, string>>
  /** Tables and columns whose changes count as changes of the room. An empty list means all columns. */
  readonly watched?: Readonly<Record<string, readonly string[]>>
  /** JSON columns by table. The program cannot read a row with other text in such a column. */
  readonly json?: Readonly<Record<string, readonly string[]>>
  /** SQL condition of rows whose session is missing, by table. */
  readonly orphans?: Readonly<Record<string, (has: (table: string) => boolean) => string>>
}

/** A list that lacks a room of `Tables` does not compile. */
export type Rooms = { readonly [Name in keyof Tables]: Room<Tables[Name]> }

export interface Layout {
  /** SQL from an empty file to the newest version. */
  readonly steps: readonly string[]
  readonly json: NonNullable<Room<unknown>['json']>
  readonly orphans: NonNullable<Room<unknown>['orphans']>
}

export function layoutOf(rooms: Rooms): Layout {
  const all = Object.values<Room<unknown>>(rooms)
  return {
    steps: inOrder(all.flatMap(({ steps }) => Object.entries(steps))),
    json: Object.assign({}, ...all.map(({ json }) => json)) as Layout['json'],
    orphans: Object.assign({}, ...all.map(({ orphans }) => orphans)) as Layout['orphans'],
  }
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
