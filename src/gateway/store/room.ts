import type { Connection } from './sqlite.ts'

/** The rows of each room. The store does not know the rooms: each room adds its rows by `declare module`. */
export interface Tables {}

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
  readonly json?: Readonly<Record<string, readonly string[]>>
  /** For each table, makes the SQL condition that finds rows whose session is missing. */
  readonly orphans?: Readonly<Record<string, (has: (table: string) => boolean) => string>>
}

/** All rooms. The compiler reports a room of `Tables` that is missing in the list. */
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
