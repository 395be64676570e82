import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import pLimit from 'p-limit'
import { Books } from '../support/sites/runbook-repository.ts'
import { FaultProxy } from '../support/network/fault-proxy.ts'
import { SmallDisk } from '../support/machine/small-disk.ts'
import { waitFor } from '../support/wait.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { Disk } from './disk.ts'
import { AGENTS, type AgentName } from './plan.ts'
import { commandLine, pids, workingFolder } from '../support/machine/proc.ts'
import { PATIENCE_MS, Process, Slot } from './process.ts'
import { Random } from './random.ts'
import { RestClient } from './rest-client.ts'
import { Secrets } from './secrets.ts'

/** A history of some rounds, its write-ahead log and the mirrors have room on it. */
const DISK_SIZE = '48m'
/** An execution is answered with 202 after it. */
const WAIT = '1500ms'

/** Where a site's lines lead: everything between gateway, agents and clients goes through one of them. */
export interface Lines {
  readonly http: FaultProxy
  readonly clients: FaultProxy
  readonly agents: Readonly<Record<AgentName, FaultProxy>>
}

/** A gateway and two agents of the built program, what lies between them, and the folder of all of it. */
export class Site implements AsyncDisposable {
  readonly place = new Workplace()
  /** Stands in the arguments of everything that commands leave behind, and nowhere else on this machine. */
  readonly mark: string
  readonly secrets: Secrets
  readonly token: string
  readonly books: Books
  /** One fault of the repository at a time. */
  readonly booksTurn = pLimit(1)
  readonly lines: Lines
  readonly gateway: Slot
  readonly agents: Readonly<Record<AgentName, Slot>>
  /** Undefined where file systems cannot be mounted. */
  readonly disks: Readonly<Record<'gateway' | AgentName, Disk>> | undefined
  readonly #keys: Readonly<Record<AgentName, string>>
  #ports = { http: 0, grpc: 0 }
  #kept = false

  /** Settles when both agents serve. */
  static async start(seed: number, generation: number): Promise<Site> {
    const [http, clients, a, b] = await Promise.all([1, 2, 3, 4].map(() => FaultProxy.start(1)))
    if (!http || !clients || !a || !b) throw new Error('no proxies')
    const site = new Site(seed, generation, { http, clients, agents: { a, b } })
    try {
      await site.settle()
      return site
    } catch (error) {
      site.keep()
      await site[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(seed: number, generation: number, lines: Lines) {
    const random = new Random(seed, generation)
    this.mark = `rig${process.pid}g${generation}x${random.between(1e6, 9e6)}`
    this.secrets = new Secrets(seed + generation)
    this.token = this.secrets.make("the user's token")
    this.#keys = {
      a: `xagt-${this.secrets.make('the key of agent a')}`,
      b: `xagt-${this.secrets.make('the key of agent b')}`,
    }
    this.lines = lines
    this.books = new Books(this.place, { 'job.runbook.sh': RUNBOOK })
    if (SmallDisk.permitted())
      this.disks = { gateway: new Disk(DISK_SIZE), a: new Disk(DISK_SIZE), b: new Disk(DISK_SIZE) }
    for (const folder of ['logs', 'runs', 'jobs', 'given', 'scratch']) mkdirSync(this.place.at(folder))
    this.gateway = new Slot('gateway', (run) => this.#beginGateway(run))
    this.agents = { a: this.#agentSlot('a'), b: this.#agentSlot('b') }
    this.#writeSettings()
  }

  /** Where gateway or agent keep what lasts. */
  state(of: 'gateway' | AgentName): string {
    return this.disks?.[of].path ?? this.place.at(`state-${of}`)
  }

  get slots(): readonly Slot[] {
    return [this.gateway, this.agents.a, this.agents.b]
  }

  /** For what the rig itself asks: past the faults. */
  get rest(): RestClient {
    return new RestClient(this.#ports.http, this.token)
  }

  /** The environment of a client. */
  get clientEnv(): Record<string, string> {
    return {
      ...this.place.env,
      HOOP_APIURL: `http://127.0.0.1:${this.lines.http.port}`,
      HOOP_GRPCURL: `grpc://127.0.0.1:${this.lines.clients.port}`,
      HOOP_TOKEN: this.token,
    }
  }

  /** Milliseconds between the machine's clock and that of a process. */
  setClock(of: 'gateway' | AgentName, shiftMs: number): void {
    writeFileSync(this.#clock(of), String(shiftMs))
  }

  /** For whoever looks into a round that failed. What clients were shown stands there too, secrets among it. */
  note(text: string): void {
    appendFileSync(this.place.at('rig.log'), `${text}\n`)
  }

  /** Starts the gateway unless it runs. @throws with its words when it refuses */
  async startGateway(): Promise<void> {
    const gateway = this.gateway.begin()
    const [line] = (await gateway.prints('out', /^\{.*\}$/m)) ?? []
    if (line === undefined) throw new Error(`${gateway.name} does not start: ${gateway.errors}`)
    const { http, grpc } = JSON.parse(line) as { http: string; grpc: string }
    this.#ports = { http: portOf(http), grpc: portOf(grpc) }
    this.lines.http.targetPort = this.#ports.http
    for (const line of [this.lines.clients, this.lines.agents.a, this.lines.agents.b])
      line.targetPort = this.#ports.grpc
  }

  /** Whatever is down is started, and both agents serve. */
  async settle(): Promise<void> {
    await this.gateway.exclusively(() => this.startGateway())
    for (const name of AGENTS)
      await this.agents[name].exclusively(() => Promise.resolve(this.agents[name].begin()))
    await waitFor(
      async () => (await this.#online()) || this.slots.some(({ process }) => !process),
      PATIENCE_MS,
    ).catch(() => {
      throw new Error(`an agent is not online within ${PATIENCE_MS / 1000} s after the last fault`)
    })
  }

  /** Takes back what a fault may have left. */
  heal(): void {
    for (const line of this.#allLines) {
      line.heal()
      line.delayMs = 0
      line.cutAfter('to-client', Infinity)
    }
    for (const disk of Object.values(this.disks ?? {})) disk.free()
    for (const of of ['gateway', ...AGENTS] as const) this.setClock(of, 0)
  }

  /** Agents first, as one does. */
  async stop(): Promise<void> {
    await Promise.all(AGENTS.map((name) => this.agents[name].end('SIGTERM')))
    await this.gateway.end('SIGTERM')
  }

  /** The folder with its logs stays. */
  keep(): string {
    this.#kept = true
    return this.place.path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.slots) process?.signal('SIGCONT')
    await Promise.all(this.slots.map((slot) => slot.end('SIGKILL')))
    for (const pid of this.#strays()) process.kill(Number(pid), 'SIGKILL')
    for (const line of this.#allLines) await line[Symbol.asyncDispose]()
    for (const [name, disk] of Object.entries(this.disks ?? {})) {
      if (this.#kept) disk.copyTo(this.place.at(`state-${name}`))
      disk[Symbol.dispose]()
    }
    if (!this.#kept) this.place[Symbol.dispose]()
  }

  /** What the commands of a round that failed have left: it has the site's mark, or lives in its folder. */
  #strays(): string[] {
    return pids().filter(
      (pid) => commandLine(pid).includes(this.mark) || workingFolder(pid).startsWith(this.place.path),
    )
  }

  get #allLines(): readonly FaultProxy[] {
    const { http, clients, agents } = this.lines
    return [http, clients, agents.a, agents.b]
  }

  async #online(): Promise<boolean> {
    const { body } = await this.rest.ask('GET', '/api/connections')
    const connections = body as readonly { readonly status: string }[]
    return connections.every(({ status }) => status === 'online')
  }

  #agentSlot(name: AgentName): Slot {
    return new Slot(`agent ${name}`, (run) => this.#beginAgent(name, run))
  }

  /** Of gateway and agents; nothing else has its passing files in that folder. */
  get #env(): Record<string, string> {
    return { ...this.place.env, TMPDIR: this.place.at('scratch') }
  }

  #clock(of: string): string {
    return this.place.at('given', `clock-${of}`)
  }

  #beginGateway(run: number): Process {
    const env = { ...this.#env, FAULTS_CLOCK: this.#clock('gateway') }
    const args = ['gateway', '--json', '--config', 'given/gateway.yaml']
    return new Process(this.place.at('logs', `gateway-${run}`), args, env, this.place.path)
  }

  #beginAgent(name: AgentName, run: number): Process {
    const env = {
      ...this.#env,
      FAULTS_CLOCK: this.#clock(name),
      RUNBOOK_AGENT_KEY_FILE: `given/credential-${name}`,
      RUNBOOK_AGENT_RUNTIME_DIR: this.place.at('runtime'),
      RUNBOOK_AGENT_STATE_DIR: this.state(name),
      RUNBOOK_AGENT_KILL_GRACE: '300ms',
      RUNBOOK_AGENT_DRAIN: '5s',
    }
    return new Process(this.place.at('logs', `agent-${name}-${run}`), ['start'], env, this.place.path)
  }

  #writeSettings(): void {
    const connections = AGENTS.flatMap((agent) => [
      this.#connection(agent, agent, ['bash']),
      this.#connection(`${agent}-terminal`, agent, ['bash', '--norc', '--noprofile', '-i']),
    ])
    for (const name of AGENTS) {
      const address = `127.0.0.1:${this.lines.agents[name].port}`
      this.#give(`credential-${name}`, `grpc://${name}:${this.#keys[name]}@${address}?mode=standard\n`)
      this.#give(`key-${name}`, `${this.#keys[name]}\n`)
    }
    this.#give('token', `${this.token}\n`)
    const settings = {
      listen: { http: '127.0.0.1:0', grpc: '127.0.0.1:0' },
      state: this.state('gateway'),
      users: [{ name: 'admin', token: 'file://token', groups: ['admin'] }],
      agents: AGENTS.map((name) => ({ name, key: `file://key-${name}` })),
      repositories: [{ name: 'books', url: this.books.path, branch: 'main' }],
      connections,
      limits: { wait: WAIT },
    }
    this.#give('gateway.yaml', JSON.stringify(settings))
  }

  #connection(name: string, agent: AgentName, command: readonly string[]): object {
    this.#give(`token-${name}`, this.secrets.make(`API_TOKEN of connection ${name}`))
    this.#give(`file-${name}`, this.secrets.make(`SECRET_FILE of connection ${name}`))
    return {
      ...{ name, agent, command, runbooks: { repository: 'books' } },
      env: { API_TOKEN: `file://token-${name}`, PS1: 'remote$ ' },
      files: { SECRET_FILE: `file-${name}` },
    }
  }

  /** What only gateway and agents are to read. */
  #give(name: string, content: string): void {
    this.place.write(`given/${name}`, content)
  }
}

/** Runs what a parameter says, as the job's own script would. */
const RUNBOOK = '{{ .job | required "a job is needed" | asenv "JOB" }}\neval "$JOB"\n'

function portOf(url: string): number {
  return Number(new URL(url.replace('grpc:', 'http:')).port)
}
