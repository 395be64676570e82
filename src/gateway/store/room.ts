import type { Connection } from './sqlite.ts'

/**
 * The rows of each room, as `read` and `write` of the history provide them. The store does not know the
 * rooms, so each room adds its rows by `declare module`.
 */
export interface Tables {}

/** Tables of one room in the file. */
export interface Room<Rows> {
  readonly rows: (db: Connection) => Rows
  /**
   * SQL of each step, by the version of the file that the step creates. The versions are one sequence over
   * all rooms.
   */
  readonly steps: Readonly<Record<number, string>>
  /**
   * Tables whose changes are counted under the room's name, with the watched columns; an empty list means all
   * columns.
   */
  readonly watched?: Readonly<Record<string, readonly string[]>>
  /** Columns whose text is JSON, by table. The program cannot read a row with other text in such a column. */
  readonly json?: Readonly<Record<string, readonly string[]>>
  /** SQL condition of rows whose session is missing, by table. */
  readonly orphans?: Readonly<Record<string, (has: (table: string) => boolean) => string>>
}

/** A list that lacks a room of `Tables` does not compile. */
export type Rooms = { readonly [Name in keyof Tables]: Room<Tables[Name]> }

/** Facts about a file that do not need its rows, for examination, copy and repair. */
export interface Layout {
  /** Steps from an empty file to the newest version. */
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

/**
 * Sorts the steps. Throws when a version is missing or not unique. This happens already when the program is
 * loaded.
 */
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
