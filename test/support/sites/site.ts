import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { Books } from './runbook-repository.ts'
import { Program } from './program.ts'
import { Rest } from '../scripted/rest.ts'
import { Workplace } from './workplace.ts'

export interface SiteOptions {
  /** Writes into the state folder before the first start. */
  readonly past?: (site: Site) => void
  /** Of gateway.yaml; `agent: local` and the repository are filled in. A `bash` connection is always there. */
  readonly connections?: readonly object[]
  readonly masking?: readonly object[]
  readonly guardrails?: readonly object[]
  readonly schedules?: readonly object[]
  /** Names of further agents, which nothing starts. */
  readonly agents?: readonly string[]
  readonly webhooks?: readonly object[]
  readonly locks?: readonly object[]
  readonly mcp?: readonly object[]
  /** Beside `admin`: names with their groups. */
  readonly users?: Readonly<Record<string, readonly string[]>>
  readonly limits?: object
  /** How long running sessions go on when the gateway stops. */
  readonly stopTimeout?: string
  readonly jira?: object
  readonly history?: object
  /** The state folder; else one in the workplace. */
  readonly state?: string
  readonly runbooks?: Readonly<Record<string, string>>
  /** Content of files beside gateway.yaml. */
  readonly files?: Readonly<Record<string, string>>
  /** Environment of gateway and agent, beside the workplace's. */
  readonly env?: Readonly<Record<string, string>>
}

interface ReadyLine {
  readonly http: string
  readonly grpc: string
}

/** `gateway` and `start`, two processes of the built program, in a workplace of their own. */
export class Site implements AsyncDisposable {
  readonly place = new Workplace()
  readonly token = secret()
  readonly agentKey = `xagt-${secret()}`
  readonly books: Books
  readonly #options: SiteOptions
  #gateway: Program | undefined
  #agent: Program | undefined
  #rest: Rest | undefined
  /** Free ports at first; those of the first start from then on, so that the agent finds the gateway again. */
  #listen = { http: '127.0.0.1:0', grpc: '127.0.0.1:0' }

  static async start(options: SiteOptions = {}): Promise<Site> {
    const site = new Site(options)
    try {
      options.past?.(site)
      await site.startGateway()
      await site.startAgent()
      return site
    } catch (error) {
      await site[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(options: SiteOptions) {
    this.#options = options
    this.books = new Books(this.place, options.runbooks)
    for (const [name, content] of Object.entries(options.files ?? {})) this.place.write(name, content)
    this.place.write('admin.token', `${this.token}\n`)
    for (const name of Object.keys(options.users ?? {}))
      this.place.write(`${name}.token`, `${this.tokenOf(name)}\n`)
    this.place.write('agent.key', `${this.agentKey}\n`)
    for (const name of options.agents ?? []) this.place.write(`${name}.key`, `xagt-${secret()}\n`)
  }

  /** Of a user of the options. */
  tokenOf(name: string): string {
    return `${name}-${this.token}`
  }

  get gateway(): Program {
    return present(this.#gateway)
  }

  get agent(): Program {
    return present(this.#agent)
  }

  get rest(): Rest {
    return present(this.#rest)
  }

  /** Of the REST interface, host:port. */
  get address(): string {
    return this.#listen.http
  }

  /** Where agents and clients connect, as a URL. */
  get grpc(): string {
    return `grpc://${this.#listen.grpc}`
  }

  async startGateway(): Promise<void> {
    this.place.write('gateway.yaml', JSON.stringify(this.#settings()))
    const { env = {} } = this.#options
    this.#gateway = new Program(this.place, ['gateway', '--json', '--config', 'gateway.yaml'], env)
    const [line] = await this.#gateway.says('stdout', /^\{.*\}$/m)
    const { http, grpc } = JSON.parse(line) as ReadyLine
    this.#listen = { http: http.replace('http://', ''), grpc: grpc.replace('grpc://', '') }
    this.#rest = new Rest(http, this.token)
  }

  /** Without a word, as by `kill -9`. Settles when it is gone. */
  async killGateway(): Promise<void> {
    this.gateway.signal('SIGKILL')
    await this.gateway.ended()
  }

  /** Settles when the agent serves. @param settings variables of this start alone */
  async startAgent(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const key = `grpc://local:${this.agentKey}@${this.#listen.grpc}?mode=standard`
    this.place.write('agent.credential', `${key}\n`)
    this.#agent = new Program(this.place, ['start'], {
      RUNBOOK_AGENT_KEY_FILE: 'agent.credential',
      RUNBOOK_AGENT_RUNTIME_DIR: this.place.at('runtime'),
      ...this.#options.env,
      ...settings,
    })
    await this.#agent.says('stderr', /agent serving/)
  }

  /** Everything that lies in session folders below the agent's runtime folder, the folders themselves included. */
  secretFiles(): string[] {
    const all = readdirSync(this.place.at('runtime'), { recursive: true }).map(String)
    return all.filter((name) => name.includes('/s-'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#agent?.[Symbol.asyncDispose]()
      await this.#gateway?.[Symbol.asyncDispose]()
    } finally {
      this.place[Symbol.dispose]()
    }
  }

  #settings(): object {
    const bash = { name: 'bash', command: ['bash'] }
    const { connections = [], masking = [], guardrails = [], schedules = [], webhooks = [] } = this.#options
    const { limits = {}, history = {}, state = './state', jira, users = {}, stopTimeout } = this.#options
    const { locks, mcp, agents = [] } = this.#options
    const people = Object.entries(users).map(([name, groups]) => ({
      name,
      token: `file://${name}.token`,
      groups,
    }))
    return {
      listen: this.#listen,
      state,
      ...(masking.length > 0 && { masking }),
      users: [{ name: 'admin', token: 'file://admin.token', groups: ['admin'] }, ...people],
      agents: [
        { name: 'local', key: 'file://agent.key' },
        ...agents.map((name) => ({ name, key: `file://${name}.key` })),
      ],
      repositories: [{ name: 'books', url: './books', branch: 'main' }],
      guardrails,
      connections: [bash, ...connections].map((connection) => ({
        agent: 'local',
        runbooks: { repository: 'books' },
        ...connection,
      })),
      schedules,
      webhooks,
      limits,
      history,
      ...(stopTimeout !== undefined && { 'stop-timeout': stopTimeout }),
      ...(jira && { jira }),
      ...(locks && { locks }),
      ...(mcp && { mcp }),
    }
  }
}

function secret(): string {
  return randomBytes(24).toString('hex')
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not started yet')
  return value
}
