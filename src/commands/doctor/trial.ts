import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { onAbort } from '../../basics/abort.ts'
import { signalChild } from '../../basics/signals.ts'
import { inheritedEnvironment } from '../../envvars/agent-environment.ts'
import { pollUntil } from '../../runtime/ending/kill-ladder.ts'
import { processEntry } from '../../runtime/ending/process-table.ts'
import { type Engine, loadEngine } from '../../runtime/engine.ts'
import { execute } from '../../runtime/execution.ts'
import { exitCode } from '../../runtime/exit-status.ts'
import { broken, type Finding, ok, skipped, warning } from '../examination.ts'
import { exitCodes, Failure } from '../exit-codes.ts'

/** The trial process runs these functions and sends their results to the parent as JSON. */
export const trials = {
  command: tryCommand,
  terminal: tryTerminal,
  cleanup: tryCleanup,
  environ: canReadEnvironment,
} as const

type TrialName = keyof typeof trials
type TrialResult<Name extends TrialName> = Awaited<ReturnType<(typeof trials)[Name]>>
type TrialAnswer = { readonly result: unknown } | { readonly error: string }

/**
 * Runs commands for `doctor` in a separate process that is guarded like an agent. Doctor itself must not
 * become a subreaper: it might adopt children that it has kept from before an exec.
 */
export async function trialCommand(): Promise<void> {
  if (process.send === undefined) throw new Failure('only doctor may start doctor-trial', exitCodes.usage)
  // Ctrl-C reaches this process, too, but must not end it. This process ends after its channel and its
  // command.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
  const life = new AbortController()
  const engine = await loadEngine()
  const guarded = guard(engine)
  let last: Promise<void> = Promise.resolve()
  process.on('message', (name: TrialName) => {
    last = answer(name, engine, guarded, life.signal)
  })
  await once(process, 'disconnect')
  life.abort()
  await last
}

/** @returns the reason why the agent cannot follow processes that leave their session; undefined if it can */
function guard(engine: Engine): string | undefined {
  try {
    engine.guard()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

async function answer(
  name: TrialName,
  engine: Engine,
  guarded: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (guarded !== undefined && name === 'cleanup')
      throw new Error(`processes that leave their session cannot be followed on this system: ${guarded}`)
    tell({ result: await trials[name](engine, signal) })
  } catch (error) {
    tell({ error: (error as Error).message })
  }
}

function tell(message: TrialAnswer): void {
  if (process.connected) process.send?.(message)
}

/** Time for the running command to end. After this time, `doctor` kills the trial process. */
const END_MS = 3000

export class TrialProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  /** @param main the file of this program */
  constructor(main: string) {
    this.#child = fork(main, ['doctor-trial'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.#exited = once(this.#child, 'exit')
    // Prevents an unhandled rejection: `ask` reports an unexpected end.
    this.#exited.catch(() => undefined)
  }

  /**
   * Runs a trial. Only one trial may run at a time. Rejects if the process ends without an answer, or when
   * the signal aborts.
   */
  async ask<Name extends TrialName>(name: Name, signal: AbortSignal): Promise<TrialResult<Name>> {
    const answered = once(this.#child, 'message', { signal })
    if (this.#child.connected) this.#child.send(name)
    const ended = this.#exited.then(() => {
      throw new Error('the process for test commands has ended')
    })
    const [answer] = (await Promise.race([answered, ended])) as [TrialAnswer]
    if ('error' in answer) throw new Error(answer.error)
    return answer.result as TrialResult<Name>
  }

  /** Ends the process and its running command. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const kill = setTimeout(() => signalChild(this.#child, 'SIGKILL'), END_MS)
    await this.#exited.catch(() => undefined)
    clearTimeout(kill)
  }
}

interface RunOptions {
  readonly stdin?: string
  readonly onTerminal?: boolean
  /** Gets the whole stdout whenever it grows, and a function that ends the command. */
  readonly watch?: (stdout: string, terminate: () => void) => void
}

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly failure: string | undefined
}

/** Time from SIGTERM to SIGKILL. It is short, because these commands need no time to end. */
const GRACE_MS = 200
const INSTANCE = randomUUID()
/** All executions share this marker, because only one runs at a time. */
const MARKER = `HOOP_SESSION_ID=doctor-${process.pid}`

/**
 * Runs a command with the engine, the environment and the cleanup of a real execution. The signal ends the
 * command.
 */
async function runTrial(
  engine: Engine,
  argv: readonly string[],
  { stdin = '', onTerminal = false, watch }: RunOptions,
  signal: AbortSignal,
): Promise<Ran> {
  const inherited = inheritedEnvironment(process.env)
  const environment = [...inherited].map(([name, value]) => `${name}=${value}`)
  const command = {
    argv: argv.map((word) => Buffer.from(word)),
    environment: [...environment, MARKER, 'TERM=xterm-256color'].map((entry) => Buffer.from(entry)),
    path: inherited.get('PATH') ?? '',
    cwd: '/',
    stdin: Buffer.from(stdin),
  }
  const options = {
    graceMs: GRACE_MS,
    instance: INSTANCE,
    marker: MARKER,
    ...(onTerminal && { terminal: { cols: 80, rows: 24 } }),
  }
  await using execution = await execute(engine, command, options)
  const terminate = () => execution.terminate()
  using _ = onAbort(signal, terminate)
  const text = { stdout: '', stderr: '' }
  for await (const { stream, data } of execution.output) {
    text[stream] += data.toString()
    if (stream === 'stdout') watch?.(text.stdout, terminate)
  }
  const status = await execution.exit
  const failure = status.kind === 'failed' ? status.cause.message : undefined
  return { code: exitCode(status), ...text, failure }
}

const PIPES_SCRIPT =
  'cat /dev/stdin && echo to-stderr > /dev/stderr && echo to-stdout > /dev/stdout && exit 7'

/** Checks the exit code, the input, and outputs that the command opens by name. */
async function tryCommand(engine: Engine, signal: AbortSignal): Promise<Finding> {
  const { code, stdout, stderr, failure } = await runTrial(
    engine,
    ['sh', '-c', PIPES_SCRIPT],
    { stdin: 'in\n' },
    signal,
  )
  if (failure !== undefined)
    return broken(`sh cannot be started: ${failure}`, 'Runbooks need sh: check the PATH of the agent')
  if (code === 7 && stdout === 'in\nto-stdout\n' && stderr === 'to-stderr\n')
    return ok('sh runs, with correct exit code, /dev/stdin, /dev/stdout and /dev/stderr')
  const found = `sh runs, but its exit code is ${code} instead of 7: ${lastLine(stderr)}`
  if (engine.name === 'portable')
    return warning(
      found,
      'With the portable engine, scripts cannot open /dev/stdin, /dev/stdout or /dev/stderr',
    )
  return broken(found, 'Check that /dev and /proc are mounted: scripts need them to open /dev/stdin')
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? ''
}

const TERMINAL_SCRIPT = 'test -t 0 && test -t 1 && test -t 2 && echo on-a-terminal'

/** Checks that a command can run on a terminal, as `connect` needs it. */
async function tryTerminal(engine: Engine, signal: AbortSignal): Promise<Finding> {
  if (engine.name === 'portable')
    return warning(
      'the portable engine has no terminals',
      'Clients cannot use connect. Runbooks are not affected',
    )
  const { stdout, failure } = await runTrial(
    engine,
    ['sh', '-c', TERMINAL_SCRIPT],
    { onTerminal: true },
    signal,
  )
  if (failure === undefined && stdout.trim() === 'on-a-terminal')
    return ok('a terminal can be opened, and a command runs on it')
  return broken(
    `no terminal can be opened: ${failure ?? 'the command sees no terminal'}`,
    'Clients cannot use connect. Check that /dev/pts is mounted, and raise sysctl kernel.pty.max if all terminals are in use',
  )
}

/** Checks whether a command can read the environment of this process, which is guarded like an agent. */
async function canReadEnvironment(engine: Engine, signal: AbortSignal): Promise<boolean | undefined> {
  const { code, failure } = await runTrial(
    engine,
    ['sh', '-c', `: < /proc/${process.pid}/environ`],
    {},
    signal,
  )
  return failure === undefined ? code === 0 : undefined
}

/** Lifetime of the three test processes if nothing ends them. */
const MAX_MS = 20_000
/** Time for the kernel to end the processes after the execution has ended. */
const GONE_MS = 2000

const NAP = `setTimeout(() => {}, ${MAX_MS})`
/** A command that ignores SIGTERM. It starts one process in its own group and one in a new session. */
const SCRIPT = `
process.on('SIGTERM', () => {})
const { spawn } = require('node:child_process')
const start = (detached) => spawn(process.execPath, ['-e', ${JSON.stringify(NAP)}], { detached, stdio: 'ignore' }).pid
console.log('pids', start(false), start(true), process.pid)
${NAP}
`

/** Checks that the command and its processes are gone after the execution. */
async function tryCleanup(engine: Engine, signal: AbortSignal): Promise<Finding> {
  const watch = (stdout: string, terminate: () => void) => {
    if (pidsIn(stdout).length > 0) terminate()
  }
  // The command runs Node, because a container may have neither a shell nor setsid.
  const { stdout, failure } = await runTrial(engine, [process.execPath, '-e', SCRIPT], { watch }, signal)
  const pids = pidsIn(stdout)
  if (pids.length === 0)
    return skipped(`the test processes could not be started: ${failure ?? 'no reason given'}`)
  await pollUntil(GONE_MS, () => !pids.some(isAlive))
  const left = pids.filter(isAlive)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return judge(engine, pids, left)
}

function judge(
  engine: Engine,
  [inGroup = 0, escaped = 0]: readonly number[],
  left: readonly number[],
): Finding {
  if (left.length === 0)
    return ok('a command that ignores SIGTERM was ended, with its group and a process outside the group')
  if (engine.name === 'portable' && left.every((pid) => pid === escaped))
    return warning(
      'a process that left its session was not found',
      'Such processes outlive their command. Only the posix engine ends them (Linux with glibc 2.34 or newer)',
    )
  const which = left.map((pid) =>
    pid === escaped
      ? 'a process outside the group'
      : pid === inGroup
        ? 'a process in the group'
        : 'the command itself',
  )
  return broken(
    `a command was not ended completely, still running: ${which.join(', ')}`,
    'Cancelled commands would continue to run. Check that /proc is mounted without hidepid, and that seccomp allows kill and prctl',
  )
}

function pidsIn(stdout: string): number[] {
  const [, ...pids] = /^pids (\d+) (\d+) (\d+)$/m.exec(stdout) ?? []
  return pids.map(Number)
}

function isAlive(pid: number): boolean {
  return processEntry(pid)?.ended === false
}
