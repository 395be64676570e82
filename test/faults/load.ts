import { signalChild } from '../../src/basics/signals.ts'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { main } from '../support/sites/program.ts'
import { Console } from '../support/terminals/console.ts'
import { waitFor } from '../support/wait.ts'
import type { AgentName, Job } from './plan.ts'
import { RestClient, Unanswered } from './rest-client.ts'
import { scriptOf } from './script.ts'
import type { Site } from './site.ts'

/** The end of an execution as a client was told it. */
interface Answer {
  readonly exitCode: number
  /** What REST answered; a command line has printed it. */
  readonly output: string | undefined
  /** `output` is all there was. */
  readonly whole: boolean
}

/** What became of a job, for its client. */
export interface Outcome {
  readonly job: Job
  readonly mark: string
  /** Ids of the sessions in which its command began: one, or none. */
  runs(): string[]
  readonly answer: Answer | undefined
  /** Of the answer, or of the 202. */
  readonly sessionId: string | undefined
  /** Everything that REST has sent. */
  readonly received: string
  /** Why there is no answer. */
  readonly lost: string | undefined
  /** The gateway has been asked to kill it, or its client was killed. */
  readonly ended: boolean
}

/** The codes with which a command of ours ends; others are the command line's own. */
const OWN_CODES = [0, 3, 7, 42]
/** A client that is stopped or cut off for the longest fault, and the gateway's patience behind it. */
const CLIENT_MS = 120_000

type Ending = Pick<Outcome, 'answer' | 'sessionId' | 'received' | 'lost'>
type Drive = (client: Client) => Promise<Ending>

/** One client of the site, with what it asks for. */
export class Client {
  readonly site: Site
  readonly job: Job
  readonly mark: string
  readonly script: string
  readonly caller: string | undefined
  /** Kills the client itself. */
  readonly #killed = new AbortController()
  ended = false
  /** The client has its answer, or will get none. */
  over = false
  /** Of a command line that runs. */
  #signal: ((signal: NodeJS.Signals) => void) | undefined

  constructor(site: Site, round: number, job: Job) {
    this.site = site
    this.job = job
    this.mark = `${site.mark}r${round}j${job.number}`
    this.script = scriptOf(job, { mark: this.mark, runs: this.#runFile })
    const isRest = job.kind === 'script' || job.kind === 'runbook'
    this.caller = isRest ? site.secrets.make(`CALLER_TOKEN of ${this.mark}`) : undefined
  }

  get signal(): AbortSignal {
    return this.#killed.signal
  }

  /** As `kill -9` of its process. */
  kill(): void {
    this.ended = true
    this.#killed.abort()
  }

  /** To the command line's process, while there is one. */
  signalProcess(signal: NodeJS.Signals): void {
    this.#signal?.(signal)
  }

  /** While `work` lasts it has a process. */
  async withProcess(signal: (name: NodeJS.Signals) => void, work: () => Promise<void>): Promise<void> {
    this.#signal = signal
    const kill = (): void => signal('SIGKILL')
    this.signal.addEventListener('abort', kill)
    if (this.signal.aborted) kill()
    await work().finally(() => {
      this.#signal = undefined
      this.signal.removeEventListener('abort', kill)
    })
  }

  runs(): string[] {
    return readIfThere(this.#runFile).split('\n').filter(Boolean)
  }

  async run(): Promise<Outcome> {
    await delay(this.job.atMs)
    const over = new AbortController()
    const killing = this.#killThroughGateway(over.signal)
    const ending = await DRIVES[this.job.kind](this)
    this.over = true
    over.abort()
    await killing
    const { job, mark, ended } = this
    this.site.note(`${mark} ${job.kind} ${this.runs().join()}: ${JSON.stringify(shortened(ending))}`)
    return { job, mark, ended, runs: () => this.runs(), ...ending }
  }

  /** When the command has begun, and the time is there. */
  async #killThroughGateway(over: AbortSignal): Promise<void> {
    if (this.job.killedAfterMs === undefined) return
    await waitFor(() => over.aborted || this.runs().length > 0, CLIENT_MS)
    await delay(this.job.killedAfterMs, undefined, { signal: over }).catch(() => undefined)
    const [id] = this.runs()
    if (over.aborted || id === undefined) return
    this.ended = true
    // The gateway may be away just now.
    await this.site.rest.ask('POST', `/api/sessions/${id}/kill`).catch(() => undefined)
  }

  /** Its command has begun, and nobody has heard of its end. */
  get isRunning(): boolean {
    return !this.over && this.runs().length > 0
  }

  get #runFile(): string {
    return this.site.place.at('runs', this.mark)
  }
}

const DRIVES: Readonly<Record<Job['kind'], Drive>> = {
  script: (client) =>
    byRest(client, '/api/sessions', { connection: client.job.agent, script: client.script }),
  runbook: (client) =>
    byRest(client, `/api/plugins/runbooks/connections/${client.job.agent}/exec`, {
      file_name: 'job.runbook.sh',
      parameters: { job: client.script },
    }),
  exec: byExec,
  terminal: byTerminal,
}

interface ExecutionBody {
  readonly session_id: string
  readonly exit_code: number
  readonly output: string
  readonly truncated: boolean
}

async function byRest(client: Client, path: string, body: object): Promise<Ending> {
  const { site, mark, caller = '' } = client
  const rest = new RestClient(site.lines.http.port, site.token)
  const env = { 'envvar:CALLER_TOKEN': Buffer.from(caller).toString('base64') }
  try {
    const asked = { ...body, correlation_id: mark, env_vars: env }
    const { status, text } = await rest.text('POST', path, asked, client.signal)
    if (status === 200) return answered(text, 200)
    if (status !== 202) return nothing(`${status} ${text}`, text)
    return await followed(client, text)
  } catch (error) {
    if (error instanceof Unanswered) throw error
    return nothing(String(error))
  }
}

function answered(text: string, status: number): Ending {
  const body = JSON.parse(text) as ExecutionBody
  const { session_id: sessionId, exit_code: exitCode, output, truncated } = body
  return {
    sessionId,
    received: text,
    answer: status === 200 ? { exitCode, output, whole: !truncated } : undefined,
    lost: undefined,
  }
}

/** A 202 to its end, whatever happens to the gateway meanwhile. */
async function followed({ site }: Client, text: string): Promise<Ending> {
  const { sessionId } = answered(text, 202)
  const received = [text]
  const done = async (): Promise<boolean> => {
    const path = `/api/sessions/${sessionId}?expand=event_stream&event_stream=utf8`
    const reply = await site.rest.text('GET', path).catch(() => undefined)
    if (reply?.status !== 200) return false
    received.push(reply.text)
    return (JSON.parse(reply.text) as { status: string }).status === 'done'
  }
  await waitFor(async () => (await done()) || (await delay(100, false)), CLIENT_MS)
  const { exit_code: exitCode, event_stream: events } = JSON.parse(received.at(-1) ?? '') as {
    exit_code: number
    event_stream: readonly string[] | null
  }
  const answer = { exitCode, output: events?.join(''), whole: false }
  return { sessionId, received: received.join('\n'), answer, lost: undefined }
}

function nothing(lost: string, received = ''): Ending {
  return { answer: undefined, sessionId: undefined, received, lost }
}

async function byExec(client: Client): Promise<Ending> {
  const { site, job, script } = client
  const child = spawn(process.execPath, [main, 'exec', job.agent, '-i', script], {
    cwd: site.place.path,
    env: site.clientEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => output.push(piece))
  let code: number | undefined
  child.once('close', (exitCode) => (code = exitCode ?? -1))
  await client.withProcess(
    (signal) => signalChild(child, signal),
    () => ends(client, () => code !== undefined),
  )
  return ofProgram(code ?? -1, String(Buffer.concat(output)))
}

async function byTerminal(client: Client): Promise<Ending> {
  const { site, job, mark, script } = client
  const file = site.place.write(`jobs/${mark}`, script)
  const argv = [process.execPath, main, 'connect', `${job.agent}-terminal`, '--quiet']
  const environment = Object.entries(site.clientEnv).map(([name, value]) => `${name}=${value}`)
  await using terminal = await Console.start(argv, { environment, cwd: site.place.path })
  const shown = (): string => terminal.output.toString()
  let code: number | undefined
  void terminal.ended.then((end) => (code = end.kind === 'exited' ? end.code : -1))
  const signal = (name: NodeJS.Signals): void => {
    const { pid, hasEnded } = terminal.execution
    if (pid !== undefined && !hasEnded) process.kill(pid, name)
  }
  await client.withProcess(signal, async () => {
    await ends(client, () => code !== undefined || shown().includes('remote$ '))
    if (code === undefined) terminal.type(`. '${file}'\r`)
    await ends(client, () => code !== undefined)
  })
  return ofProgram(code ?? -1, shown())
}

/** A client that does not end is a fault of the program; it is not to outlive the rig. */
async function ends(client: Client, hasEnded: () => boolean): Promise<void> {
  await waitFor(hasEnded, CLIENT_MS).catch(() => {
    client.kill()
    throw new Error(`the client ${client.mark} (${client.job.kind}) does not end`)
  })
}

function ofProgram(code: number, shown: string): Ending {
  if (!OWN_CODES.includes(code)) return nothing(`code ${code}: ${shown.slice(-300)}`)
  return { ...nothing(''), lost: undefined, answer: { exitCode: code, output: undefined, whole: false } }
}

function shortened({ answer, sessionId, lost }: Ending): object {
  return { sessionId, lost, exitCode: answer?.exitCode, end: answer?.output?.slice(-200) }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** All jobs of a round at once. */
export class Load {
  readonly clients: readonly Client[]

  constructor(site: Site, round: number, jobs: readonly Job[]) {
    this.clients = jobs.map((job) => new Client(site, round, job))
  }

  async run(): Promise<Outcome[]> {
    const settled = await Promise.allSettled(this.clients.map((client) => client.run()))
    return settled.map((one) => {
      if (one.status === 'rejected') throw one.reason
      return one.value
    })
  }

  /** Until a command runs (of one agent, where one is named): what strikes then strikes something. */
  async busy(agent?: AgentName): Promise<void> {
    const runs = (client: Client): boolean =>
      client.isRunning && client.job.agent === (agent ?? client.job.agent)
    await waitFor(() => this.clients.some(runs) || this.clients.every(({ over }) => over), CLIENT_MS)
  }
}
