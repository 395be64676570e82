import type { DatabaseClient } from './client.ts'
import { mariadb, mysql } from './mariadb.ts'
import { psql } from './psql.ts'
import { redis } from './redis.ts'

const CLIENTS: ReadonlyMap<string, DatabaseClient> = new Map(
  [psql, mariadb, mysql, redis].map((client) => [client.name, client]),
)

/**
 * Clients that stay open whatever they are started with, and why. sqlite3's `-safe` forbids functions by an authorizer
 * that sees no virtual tables, and `sqlite_dbdata` (3.40, for `.recover`) runs SQL that a script puts together from
 * pieces: `fsdir` then reads any file, also with `.dbconfig defensive on`, and no list of words finds it.
 */
const OPEN: ReadonlyMap<string, string> = new Map([
  ['sqlite3', 'those of sqlite3 cannot be: SQL reads any file even in its safe mode'],
])

/**
 * The client that a command starts, known by the last part of its program's name. Undefined for any other program, also
 * for a shell or `env` in front of a client.
 */
export function databaseClient(program: string): DatabaseClient | undefined {
  return CLIENTS.get(nameOf(program))
}

/** Why the client that a command starts cannot be closed, in words for people; undefined when it can, or is none. */
export function whyOpen(program: string): string | undefined {
  return OPEN.get(nameOf(program))
}

function nameOf(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1)
}
