import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startGateway, type Gateway } from '../../../src/gateway/gateway.ts'
import { printGatewaySettings } from '../../../src/gateway/settings/print.ts'
import { loadSettings } from '../../../src/gateway/settings/load.ts'
import { checkDescribed } from '../described-answer.ts'

export const userToken = 'a-token-for-tests-0123456789'
export const otherToken = 'another-token-for-tests-0123'
export const agentKey = 'xagt-a-key-for-tests-0123456789'

/** A connection for most tests; more are given as YAML. */
const bash = `
  - { name: bash, agent: local, command: [bash, --norc, --noprofile], runbooks: { repository: rb, path: ops/ } }`

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface RunningGatewayOptions {
  /** More connections, in YAML. */
  readonly connections?: string
  /** More users, in YAML. */
  readonly users?: string
  readonly limits?: string
  /** Of the agent `local`, if not `agentKey`. */
  readonly localKey?: string
  /** One more agent, in YAML. */
  readonly agents?: string
  /** One more repository, in YAML. */
  readonly repositories?: string
  /** More settings at the top level, in YAML. */
  readonly more?: string
  readonly host?: string
  /** Address of the REST interface, if it is not to be a free one of the host. */
  readonly http?: string
  /** A folder that is there already. */
  readonly state?: string
  /** More of `listen`, in YAML: `metrics: 127.0.0.1:0`. */
  readonly listen?: string
  /** Files for `listen.tls`. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly 'agent-ca'?: string }
  /** Puts something into the state folder before the gateway opens it. */
  readonly prepare?: (state: string) => void
}

/** The embedded gateway in this process with a repository of its own. */
export class RunningGateway implements AsyncDisposable {
  readonly gateway: Gateway
  readonly log: string[]
  readonly repository: string
  readonly #folder: string

  static async start(
    files: Record<string, string> = {},
    options: RunningGatewayOptions = {},
  ): Promise<RunningGateway> {
    const folder = mkdtempSync(path.join(tmpdir(), 'gateway-'))
    const repository = path.join(folder, 'rb')
    begin(repository)
    if (Object.keys(files).length > 0) commit(repository, files)
    const file = path.join(folder, 'gateway.yaml')
    writeFileSync(file, yaml(options))
    const source = { file, read: () => loadSettings(file, {}), print: () => printGatewaySettings(file, {}) }
    const settings = source.read()
    mkdirSync(settings.state, { mode: 0o700, recursive: true })
    options.prepare?.(settings.state)
    const log: string[] = []
    const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
    const logger = { debug: write, info: write, warn: write, error: write }
    try {
      const gateway = await startGateway(settings, { source, log: logger, version: '1.2.3' })
      return new RunningGateway(gateway, log, repository, folder)
    } catch (error) {
      rmSync(folder, { recursive: true })
      throw error
    }
  }

  private constructor(gateway: Gateway, log: string[], repository: string, folder: string) {
    this.gateway = gateway
    this.log = log
    this.repository = repository
    this.#folder = folder
  }

  get agentUrl(): string {
    return `${this.gateway.grpc.replace('://', `://local:${agentKey}@`)}?mode=standard`
  }

  /** Where its settings are read again. */
  get settingsFile(): string {
    return path.join(this.#folder, 'gateway.yaml')
  }

  /** Writes other settings, as for `start`. They are not read yet. */
  configure(options: RunningGatewayOptions): void {
    writeFileSync(this.settingsFile, yaml(options))
  }

  /** Commits files and returns the commit's id. */
  commit(files: Record<string, string>): string {
    return commit(this.repository, files)
  }

  async request(
    method: string,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.gateway.http}${url}`, {
      method,
      headers: {
        authorization: `Bearer ${userToken}`,
        connection: 'close',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const answer = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    checkDescribed(method, url, response.status, answer)
    return { status: response.status, body: answer }
  }

  /** The endpoint of the contract. */
  exec(body: unknown, connection = 'bash'): Promise<Answer> {
    return this.request('POST', `/api/plugins/runbooks/connections/${connection}/exec`, body)
  }

  /** An ad-hoc script. */
  script(script: string, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.request('POST', '/api/sessions', { connection: 'bash', script, ...more })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.close()
    rmSync(this.#folder, { recursive: true })
  }
}

function yaml({
  connections = '',
  users = '',
  limits = '{}',
  agents = '',
  localKey = agentKey,
  repositories = '',
  more = '',
  host = '127.0.0.1',
  http = `${host}:0`,
  state = './state',
  listen = '',
  tls,
}: RunningGatewayOptions): string {
  return `
listen: { http: ${http}, grpc: ${host}:0, allow-remote: ${host !== '127.0.0.1'}${tls ? `, tls: ${JSON.stringify(tls)}` : ''}${listen === '' ? '' : `, ${listen}`} }
state: ${state}
limits: ${limits}
users:
  - { name: admin, token: ${userToken}, groups: [admin] }
  - { name: other, token: ${otherToken}, groups: [dba] }${users}
agents: [{ name: local, key: ${localKey} }${agents === '' ? '' : `, ${agents}`}]
repositories: [{ name: rb, url: ./rb, branch: main }${repositories === '' ? '' : `, ${repositories}`}]
connections:${bash}${connections}
${more}
`
}

/** The files of a repository with one commit, which is the same for all: git needs ten times as long. */
let first: ReadonlyMap<string, Buffer> | undefined

function begin(repository: string): void {
  if (first !== undefined) {
    for (const [name, content] of first) write(repository, name, content)
    return
  }
  mkdirSync(repository)
  git(repository, 'init', '--quiet', '--initial-branch=main', '--template=')
  commit(repository, { 'ops/a.runbook.sh': 'echo {{ .x }}' })
  const entries = readdirSync(repository, { recursive: true, withFileTypes: true })
  first = new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(repository, file), readFileSync(file)]),
  )
}

function write(folder: string, name: string, content: string | Buffer): void {
  mkdirSync(path.join(folder, path.dirname(name)), { recursive: true })
  writeFileSync(path.join(folder, name), content)
}

function commit(repository: string, files: Record<string, string>): string {
  for (const [name, content] of Object.entries(files)) write(repository, name, content)
  git(repository, 'add', '--all')
  git(
    repository,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@example.test',
    'commit',
    '--quiet',
    '--message=files',
  )
  return readFileSync(path.join(repository, '.git/refs/heads/main'), 'utf8').trim()
}

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null' },
  })
}
