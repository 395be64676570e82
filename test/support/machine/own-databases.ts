import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { errnoOf } from '../../../src/basics/errors.ts'
import { signalChild } from '../../../src/basics/signals.ts'
import { waitFor } from '../wait.ts'
import { childrenOf } from './proc.ts'
import { missingProgram } from './servers.ts'

// Database servers of a test's own, which it may kill: in a folder, on a free port of the loopback, without passwords.

const told = promisify(execFile)
/** Installations of PostgreSQL keep its server out of PATH. */
const POSTGRES = folderOfPostgres()

/** What is missing for servers of one's own, in words; undefined when all is there. */
export function missingOwnDatabases(): string | undefined {
  if (POSTGRES === undefined) return 'initdb'
  return missingProgram('psql', 'mysql', 'mariadbd', 'mariadb-install-db')
}

type CommandLine = readonly [program: string, ...args: string[]]

interface Kind {
  /** The account of the server where the test runs as root, which servers refuse to do. */
  readonly user: string
  readonly create: (folder: string) => CommandLine
  readonly serve: (folder: string, port: number) => CommandLine
  readonly ask: (port: number, statement: string) => CommandLine
}

const postgres: Kind = {
  user: 'postgres',
  create: (folder) => [
    `${POSTGRES}/initdb`,
    '-D',
    folder,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-N',
    '--no-sync',
  ],
  serve: (folder, port) => [
    `${POSTGRES}/postgres`,
    ...['-D', folder, '-p', String(port), '-h', '127.0.0.1', '-k', folder],
    ...['-c', 'fsync=off', '-c', 'max_connections=200'],
  ],
  ask: (port, statement) => [
    'psql',
    ...['-X', '-w', '-A', '-t', '-q', '-h', '127.0.0.1', '-p', String(port)],
    ...['-U', 'postgres', '-d', 'postgres', '-c', statement],
  ],
}

const mariadb: Kind = {
  user: 'mysql',
  create: (folder) => [
    'mariadb-install-db',
    ...['--no-defaults', `--datadir=${folder}`, '--skip-test-db'],
    '--auth-root-authentication-method=normal',
  ],
  serve: (folder, port) => [
    'mariadbd',
    ...['--no-defaults', `--datadir=${folder}`, `--port=${port}`, '--bind-address=127.0.0.1'],
    ...[`--socket=${folder}/s`, `--pid-file=${folder}/pid`],
  ],
  ask: (port, statement) => [
    'mysql',
    ...['--no-defaults', '-h127.0.0.1', `-P${port}`, '-uroot', '-N', '-B', '-e', statement],
  ],
}

export class OwnDatabase implements AsyncDisposable {
  readonly port: number
  readonly #kind: Kind
  readonly #folder: string
  #child: ChildProcess

  static postgres = () => OwnDatabase.#start(postgres)
  static mariadb = () => OwnDatabase.#start(mariadb)

  static async #start(kind: Kind): Promise<OwnDatabase> {
    const folder = mkdtempSync(path.join(tmpdir(), 'own-db-'))
    const account = accountOf(kind.user)
    if (account !== undefined) chownSync(folder, account.uid, account.gid)
    const [program, ...args] = kind.create(folder)
    await told(program, args, { ...account, env: { PATH: process.env['PATH'] } })
    const server = new OwnDatabase(kind, folder, await freePort())
    await server.#ready()
    return server
  }

  private constructor(kind: Kind, folder: string, port: number) {
    this.#kind = kind
    this.#folder = folder
    this.port = port
    this.#child = this.#spawn()
  }

  /** What the superuser is answered, in bare form. */
  async sql(statement: string): Promise<string> {
    const [program, ...args] = this.#kind.ask(this.port, statement)
    const { stdout } = await told(program, args, { env: { PATH: process.env['PATH'] } })
    return stdout.trim()
  }

  /** With all its processes, without a word. Settles when they are gone. */
  async kill(): Promise<void> {
    if (this.#isGone) return
    const pids = childrenOf(String(this.#child.pid)).map(Number)
    // The first one starts no others then.
    signalChild(this.#child, 'SIGKILL')
    for (const pid of pids) killIfThere(pid)
    await waitFor(() => this.#isGone)
  }

  /** After a `kill`. */
  async restart(): Promise<void> {
    if (!this.#isGone) return
    rmSync(path.join(this.#folder, 'postmaster.pid'), { force: true })
    this.#child = this.#spawn()
    await this.#ready()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #spawn(): ChildProcess {
    const [program, ...args] = this.#kind.serve(this.#folder, this.port)
    const env = { PATH: process.env['PATH'] }
    return spawn(program, args, { ...accountOf(this.#kind.user), env, stdio: 'ignore' })
  }

  get #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #ready(): Promise<void> {
    await waitFor(() =>
      this.sql('select 1').then(
        () => true,
        () => false,
      ),
    )
  }
}

function folderOfPostgres(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root) : []
  return versions.map((version) => path.join(root, version, 'bin')).find((bin) => existsSync(`${bin}/initdb`))
}

function accountOf(user: string): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A server's processes come and go by themselves. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}
