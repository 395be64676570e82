import type { Connection } from './sqlite.ts'

/**
 * The rows of each room, as `read` and `write` of the history hand them out. The store knows none of them: a room adds
 * its own by `declare module`.
 */
export interface Tables {}

/** What a room keeps in the file. */
export interface Room<Rows> {
  readonly rows: (db: Connection) => Rows
  /** SQL, by the version of the file that it makes. The versions are one sequence over all rooms. */
  readonly steps: Readonly<Record<number, string>>
  /** Tables whose changes are counted under the room's name, with the columns that count; none stand for all. */
  readonly watched?: Readonly<Record<string, readonly string[]>>
  /** Columns whose text is JSON, by table: a row with anything else there cannot be read by the program. */
  readonly json?: Readonly<Record<string, readonly string[]>>
  /** By table, the condition of rows whose session is gone. */
  readonly orphans?: Readonly<Record<string, (has: (table: string) => boolean) => string>>
}

/** A list that lacks one of `Tables` does not compile. */
export type Rooms = { readonly [Name in keyof Tables]: Room<Tables[Name]> }

/** What is known of a file without its rows: enough to examine, copy and repair it. */
export interface Layout {
  /** From an empty file to the newest version. */
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

/** A mistake of a room is no state of a disk: it is found when the program is loaded. */
function inOrder(found: readonly [version: string, sql: string][]): string[] {
  const sorted = found.toSorted(([a], [b]) => Number(a) - Number(b))
  const wrong = sorted.findIndex(([version], at) => Number(version) !== at + 1)
  if (wrong !== -1) throw new Error(`no room, or more than one, has the step to version ${wrong + 1}`)
  return sorted.map(([, sql]) => sql)
}

export function tablesOf(db: Connection, rooms: Rooms): Tables {
  const rows = Object.entries<Room<unknown>>(rooms).map(([name, room]) => [name, room.rows(db)])
  return Object.fromEntries(rows) as Tables
}
