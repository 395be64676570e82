import type { DatabaseClient } from './client.ts'
import { mariadb, mysql } from './mariadb.ts'
import { psql } from './psql.ts'
import { redis } from './redis.ts'
import { sqlite } from './sqlite.ts'

const CLIENTS: ReadonlyMap<string, DatabaseClient> = new Map(
  [psql, mariadb, mysql, sqlite, redis].map((client) => [client.name, client]),
)

/**
 * The client that a command starts, known by the last part of its program's name. Undefined for any other program, also
 * for a shell or `env` in front of a client.
 */
export function databaseClient(program: string): DatabaseClient | undefined {
  return CLIENTS.get(program.slice(program.lastIndexOf('/') + 1))
}
