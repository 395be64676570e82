import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { longestStopMs, type StopSettings } from '../../agent/connection/timing.ts'
import { packageFiles } from '../../basics/files/package-files.ts'
import type { Logger } from '../../basics/logger.ts'
import { parseAddress, isLoopback } from '../../basics/net/address.ts'
import { KILL_GRACE_MS, signalChild } from '../../basics/signals.ts'
import { call, type Read } from '../../client/rest/call.ts'
import type { AnswerOf } from '../../contract/contract.ts'
import { executionContract } from '../../contract/executions.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { GatewayFile } from '../../gateway/settings/reload.ts'
import type { GatewaySettings } from '../../gateway/settings/settings.ts'
import { createLogger } from '../../log.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import { gatewayFile, openGateway } from '../gateway/gateway.ts'
import { logSettings, onShutdownSignals } from '../long-running.ts'
import { accountOf, examplesIn, runExamples } from './examples.ts'
import { type DevState, prepareState, writeCredential } from './state.ts'

export interface DevFlags {
  readonly http?: string
  readonly grpc?: string
  readonly state: string
  readonly json?: boolean
}

/**
 * Maximum wait for the agent. It is enough for the first start on a slow machine, with a margin. Later starts
 * take a fraction of a second.
 */
const AGENT_START_MS = 20_000

/** Runs a gateway, an agent and example runbooks on one machine, until Ctrl-C. */
export async function devCommand(flags: DevFlags): Promise<void> {
  const say = speaker(flags.json === true)
  const state = await prepareState(path.resolve(flags.state))
  const log = await createLogger(logSettings('warn'))
  const examples = examplesIn(state, () => gateway.http)
  const gateway: Gateway = await openGateway(settingsSource(state, flags, log), log, examples)
  const agent = new AgentProcess(state, say)
  const leave = new Promise<void>((resolve) =>
    onShutdownSignals({ drain: resolve, stop: () => process.exit(1), inTerminal: true }),
  )
  const enter = atEnter(() => say(`page      ${pageLink(gateway, state)}`))
  const ending = new AbortController()
  try {
    writeCredential(state, gateway.grpc)
    agent.start()
    await Promise.race([serve(gateway, agent, state, flags, say), leave])
    if (existsSync(state.unfinishedExamples)) void showExamples(gateway.http, state, say, ending.signal)
    await leave
  } finally {
    say('stopping')
    ending.abort()
    enter[Symbol.dispose]()
    await gateway.endSessions()
    await agent.stop()
    await gateway.close()
  }
}

async function serve(
  gateway: Gateway,
  agent: AgentProcess,
  state: DevState,
  flags: DevFlags,
  say: (line: string) => void,
): Promise<void> {
  const online = await gateway.agents.waitFor('local', AGENT_START_MS, new AbortController().signal)
  if (online === undefined) {
    throw new Failure(
      `the agent did not connect within ${AGENT_START_MS / 1000} s: see its messages above`,
      exitCodes.unreachable,
    )
  }
  const answer = await runExample(gateway.http, state.tokenFile)
  const ended = answer.output_status === 'success' ? 'succeeded' : answer.output_status
  say(
    `ran ops/hello.runbook.sh on connection bash: ${ended}, exit code ${answer.exit_code}, ${answer.execution_time} ms`,
  )
  say(printable(answer.output).trimEnd().replace(/^/gm, '  | '))
  const page = pageLink(gateway, state)
  say(`\npage      ${page}`)
  say(
    `          signs you in once, within two minutes${process.stdin.isTTY ? '; Enter prints a new link' : ''}`,
  )
  say(`gateway   ${gateway.http} (REST), ${gateway.grpc} (agents)`)
  say(`token     in ${state.tokenFile}`)
  say(`settings  in ${state.configFile}`)
  if (state.isFirst) say('examples  have names with example-: Home of the page removes them by one click')
  say(`\nRun it yourself:\n\n${exampleCommands(gateway.http, state.tokenFile)}`)
  say(
    `\nor without this program:\n\n${exampleCurl(gateway.http, state.tokenFile)}\n\nCtrl-C ends the gateway and the agent.`,
  )
  if (flags.json === true) process.stdout.write(`${readyLine(gateway, agent, state, page)}\n`)
}

/** Runs the examples after everything else is ready, so that the start does not wait for them. */
async function showExamples(
  http: string,
  state: DevState,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await runExamples(http, state, signal)
  } catch (error) {
    if (!signal.aborted) say(`an example could not run: ${(error as Error).message}`)
  }
}

function readyLine(gateway: Gateway, agent: AgentProcess, state: DevState, page: string): string {
  const { http, grpc } = gateway
  return JSON.stringify({
    event: 'ready',
    http,
    grpc,
    page,
    tokenFile: state.tokenFile,
    pid: process.pid,
    agentPid: agent.pid,
  })
}

/** Returns a link that signs in the admin. The first start shows Home, where the examples are. */
function pageLink(gateway: Gateway, { tokenFile, isFirst }: DevState): string {
  const token = readFileSync(tokenFile, 'utf8').trim()
  return gateway.signInLink({ token, next: isFirst ? '/' : EXAMPLE_PAGE })
}

/** Escapes control characters of a program's output, because they must not reach the terminal. */
function printable(output: string): string {
  return output.replace(/[^\P{Cc}\n\t]/gu, (character) => JSON.stringify(character).slice(1, -1))
}

/** Writes lines to stdout, or with `--json` to stderr. */
function speaker(json: boolean): (line: string) => void {
  const out = json ? process.stderr : process.stdout
  // An error is ignored: after the window or the pipe has closed, this process still has to end the sessions.
  out.on('error', () => undefined)
  return (line) => void out.write(`${line}\n`)
}

/** Reads the settings. The addresses of the flags replace the addresses of the file. */
function settingsSource({ configFile }: DevState, flags: DevFlags, log: Logger): GatewayFile {
  const { file, read } = gatewayFile(configFile, log)
  const http = address(flags.http, '--http')
  const grpc = address(flags.grpc, '--grpc')
  return {
    file,
    read: () => {
      const { listen, ...settings } = read()
      return { ...settings, listen: { ...listen, ...(http && { http }), ...(grpc && { grpc }) } }
    },
  }
}

/** Accepts only loopback addresses, because `dev` serves only one machine. */
function address(given: string | undefined, flag: string): GatewaySettings['listen']['http'] | undefined {
  if (given === undefined) return undefined
  const parsed = parseAddress(/^\d+$/.test(given) ? `127.0.0.1:${given}` : given)
  if (parsed !== undefined && !isLoopback(parsed.host)) {
    throw new Failure(
      `${flag} ${given}: dev serves this machine only, without TLS. Use a loopback address`,
      exitCodes.usage,
    )
  }
  if (parsed === undefined)
    throw new Failure(`${flag} ${given}: must be host:port, for example 127.0.0.1:0`, exitCodes.usage)
  return parsed
}

/** Time between two looks of `atEnter` whether this process is in the foreground. */
const LOOK_MS = 500

/** Calls `pressed` at each Enter in this terminal. */
function atEnter(pressed: () => void): Disposable {
  const { stdin } = process
  if (!stdin.isTTY) return { [Symbol.dispose]: () => undefined }
  const look = () => {
    if (isInForeground()) stdin.resume()
    else stdin.pause()
  }
  stdin.on('data', pressed)
  // `bg` sends SIGCONT. `fg` sends no signal to a running program, and so a timer looks, too.
  process.on('SIGCONT', look)
  const timer = setInterval(look, LOOK_MS).unref()
  look()
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer)
      process.off('SIGCONT', look)
      stdin.off('data', pressed).pause()
    },
  }
}

/**
 * Whether this process may read from its terminal. The system would stop a background process that reads from
 * it.
 */
function isInForeground(): boolean {
  try {
    // These are the fields after the name: state, parent, group, session, terminal, the terminal's foreground
    // group.
    const [, , group, , , foreground] =
      readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return group === foreground
  } catch {
    return true
  }
}

/** The first wait. Each further wait is twice as long, up to MAX_WAIT_MS. */
const FIRST_WAIT_MS = 500
const MAX_WAIT_MS = 10_000
/** These times are passed as flags, because a settings file may have other times. */
const STOP: StopSettings = { drainMs: 5000, killGraceMs: KILL_GRACE_MS }

/** The agent in its own process. The process is restarted when it ends. */
class AgentProcess {
  readonly #state: DevState
  readonly #say: (line: string) => void
  readonly #stopping = new AbortController()
  #child: ChildProcess | undefined
  #over: Promise<void> | undefined

  constructor(state: DevState, say: (line: string) => void) {
    this.#state = state
    this.#say = say
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    this.#over = this.#keep()
  }

  /** Sends SIGTERM. After the maximum time of an orderly stop, sends SIGKILL. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#signal('SIGTERM')
    const kill = setTimeout(() => this.#signal('SIGKILL'), longestStopMs(STOP))
    await this.#over
    clearTimeout(kill)
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child !== undefined) signalChild(this.#child, signal)
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
      const startedAt = performance.now()
      const end = await this.#runOnce()
      if (this.#stopping.signal.aborted) return
      if (performance.now() - startedAt > MAX_WAIT_MS) wait = FIRST_WAIT_MS
      this.#say(`the agent ended (${end}); restarting it in ${wait} ms`)
      await delay(wait, undefined, { signal }).catch(() => undefined)
    }
  }

  /**
   * Runs the agent in a new session of the system, so that Ctrl-C reaches the agent only through this
   * process. The agent ends when its channel to this process closes.
   */
  #runOnce(): Promise<string> {
    const { credentialFile, agentConfigFile, agentFolder } = this.#state
    const times = ['--drain', `${STOP.drainMs}ms`, '--kill-grace', `${STOP.killGraceMs}ms`]
    const files = ['--config', agentConfigFile, '--key-file', credentialFile, '--state-dir', agentFolder]
    const child = spawn(process.execPath, [packageFiles.main, 'start', ...files, ...times], {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: agentEnvironment(),
    })
    this.#child = child
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${String(code)}`))
    })
  }
}

/** Returns the environment without the settings of another agent on this machine. */
function agentEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(HOOP_|RUNBOOK_AGENT_|TOKEN$|CREDENTIALS_DIRECTORY$)/
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name))
  return { LOG_LEVEL: 'warn', ...Object.fromEntries(own) }
}

/** `dev` runs this runbook to show that everything works. */
const CONNECTION = 'bash'
const request = {
  file_name: 'ops/hello.runbook.sh',
  parameters: { name: 'world' },
  env_vars: { 'filesystem:SECRET_FILE': Buffer.from('a secret in a file\n').toString('base64') },
  client_args: ['-s', '--', 'first-argument'],
}

/** Shows the example with the parameters of the last run. `examples` is the repository in state.ts. */
const EXAMPLE_PAGE = `/runbooks/examples/${request.file_name}?again=last`

type ExampleAnswer = Read<AnswerOf<typeof executionContract.runbook>>

/** @throws ApiError when the gateway refuses the request */
function runExample(http: string, tokenFile: string): Promise<ExampleAnswer> {
  const account = accountOf(http, tokenFile)
  return call(account, executionContract.runbook, { name: CONNECTION }, { body: request })
}

/** Returns two commands to paste. The first signs in, and the second runs the example. */
function exampleCommands(http: string, tokenFile: string): string {
  const program = commandLine()
  return [
    `${program} login --api-url ${http} --token-file ${quoted(tokenFile)}`,
    `${program} run ${CONNECTION} ${request.file_name} -p name=world`,
  ].join('\n')
}

/** Returns the command that starts this program, even if the program is not in the PATH. */
function commandLine(): string {
  const main = process.argv[1] ?? 'runbook-agent'
  return main.endsWith('.js') ? `node ${quoted(main)}` : quoted(main)
}

function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function exampleCurl(http: string, tokenFile: string): string {
  return [
    `curl -sS '${url(http)}' \\`,
    `  -H "Authorization: Bearer $(cat '${tokenFile.replaceAll("'", `'\\''`)}')" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(request)}'`,
  ].join('\n')
}

function url(http: string): string {
  return `${http}/api/plugins/runbooks/connections/${CONNECTION}/exec`
}
