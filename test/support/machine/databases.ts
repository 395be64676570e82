import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { missingProgram } from './servers.ts'

// Only this file speaks to a database server as its superuser: it makes what has a new random name, and drops what it
// has made. Tests log in as a user who owns one database and may do nothing to another.

/** For a server that is busy with other things. */
const ANSWER_MS = 25_000

export interface Account {
  readonly name: string
  readonly password: string
}

/** A database with its owner of the same name; both are dropped when it is disposed. */
export interface PostgresDatabase extends Account, AsyncDisposable {
  readonly host: string
  readonly port: string
  /** Arguments of psql that log its owner in, with `PGPASSWORD` in the environment. */
  readonly login: readonly string[]
  /** What a statement answers its owner, in psql's bare form. */
  sql(statement: string): Promise<string>
}

const SERVER = { host: '127.0.0.1', port: '5432' }

/** What is missing for `postgresDatabase`, in words; undefined when all is there. */
export async function missingPostgres(): Promise<string | undefined> {
  const program = missingProgram('psql')
  if (program !== undefined) return program
  return refusal(postgres('select 1'), `a PostgreSQL on ${SERVER.host}:${SERVER.port} that lets postgres in`)
}

/** @param name a new one; the server refuses one that is there already, and then nothing is dropped */
export async function postgresDatabase(name = newName()): Promise<PostgresDatabase> {
  const password = randomBytes(12).toString('hex')
  const drop = await create(postgres, [
    [`create role ${name} login password '${password}'`, `drop role ${name}`],
    // Not of template1, the default: a session of anybody's there would be in the way.
    [`create database ${name} owner ${name} template template0`, `drop database ${name} with (force)`],
  ])
  const sql = (statement: string) => psql({ name, password }, name, statement)
  return { ...SERVER, name, password, login: login(name, name), sql, [Symbol.asyncDispose]: drop }
}

function postgres(statement: string): Promise<string> {
  return psql({ name: 'postgres', password: '' }, 'postgres', statement)
}

function psql({ name, password }: Account, database: string, statement: string): Promise<string> {
  const args = [...login(name, database), '-q', '-A', '-t', '-c', statement]
  return told('psql', args, { PGPASSWORD: password })
}

/** Never asks for a password: that would be a question on the terminal of whoever runs the tests. */
function login(user: string, database: string): string[] {
  return ['-X', '-w', '-h', SERVER.host, '-p', SERVER.port, '-U', user, '-d', database]
}

/** What is missing for `mysqlAccount`, in words; undefined when all is there. */
export async function missingMysql(): Promise<string | undefined> {
  const program = missingProgram('mysql')
  if (program !== undefined) return program
  return refusal(mysql('select 1'), 'a MySQL on 127.0.0.1:3306 that lets root in')
}

/** A user who may log in and nothing else; dropped when it is disposed. */
export async function mysqlAccount(name = newName()): Promise<Account & AsyncDisposable> {
  const password = randomBytes(12).toString('hex')
  const drop = await create(mysql, mysqlUsers(name, password, ''))
  return { name, password, [Symbol.asyncDispose]: drop }
}

/** The same with a database of the same name that is his. */
export async function mysqlDatabase(name = newName()): Promise<Account & AsyncDisposable> {
  const password = randomBytes(12).toString('hex')
  const drop = await create(mysql, [
    [`create database ${name}`, `drop database ${name}`],
    ...mysqlUsers(name, password, `grant all on ${name}.* to`),
  ])
  return { name, password, [Symbol.asyncDispose]: drop }
}

/** For a server that knows 127.0.0.1 as localhost, an anonymous user there would come before one of '%'. */
function mysqlUsers(name: string, password: string, grant: string): (readonly [string, string])[] {
  return [`'${name}'@'%'`, `'${name}'@'localhost'`].map((user) => [
    `create user ${user} identified by '${password}'${grant === '' ? '' : `; ${grant} ${user}`}`,
    `drop user ${user}`,
  ])
}

function mysql(statement: string): Promise<string> {
  return told('mysql', ['--no-defaults', '-h127.0.0.1', '-P3306', '-uroot', '-e', statement], {})
}

/**
 * Runs the first statement of each pair; when one fails, those before it are taken back.
 * @returns what runs the second statements, the last pair first
 */
export async function create(
  run: (statement: string) => Promise<unknown>,
  pairs: readonly (readonly [create: string, drop: string])[],
): Promise<() => Promise<void>> {
  const drops: string[] = []
  const dropAll = async () => {
    for (const drop of drops) await run(drop)
  }
  try {
    for (const [create, drop] of pairs) {
      await run(create)
      drops.unshift(drop)
    }
    return dropAll
  } catch (error) {
    await dropAll()
    throw error
  }
}

/** Tells what a killed run has left from what one at work uses, which has this pid. */
function newName(): string {
  return `runbook_test_${process.pid}_${randomBytes(4).toString('hex')}`
}

async function told(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    env: { PATH: process.env['PATH'], ...env },
    timeout: ANSWER_MS,
  })
  return stdout.trim()
}

async function refusal(asked: Promise<string>, wanted: string): Promise<string | undefined> {
  return asked.then(
    () => undefined,
    (error: unknown) => `${wanted} (${firstLine(error)})`,
  )
}

function firstLine(error: unknown): string {
  return (
    String(Reflect.get(Object(error), 'stderr'))
      .split('\n')[0]
      ?.trim() ?? ''
  )
}
