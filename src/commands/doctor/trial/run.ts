import { randomUUID } from 'node:crypto'
import { inheritedEnvironment } from '../../../envvars/entries/inherited.ts'
import { execute, type Engine } from '../../../runtime/engine.ts'
import { exitCode } from '../../../runtime/exit-status.ts'

export interface RunOptions {
  readonly stdin?: string
  readonly onTerminal?: boolean
  /** Sees stdout as it grows, with what ends the command. */
  readonly watch?: (stdout: string, terminate: () => void) => void
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Why it could not be started or followed. */
  readonly failure: string | undefined
}

/** From SIGTERM to SIGKILL: these commands have nothing to put in order. */
const GRACE_MS = 200
const INSTANCE = randomUUID()
/** No other execution has it: one at a time is made. */
const MARKER = `HOOP_SESSION_ID=doctor-${process.pid}`

/** One command with the engine, the environment and the end of a real execution. Ended early at the signal. */
export async function runTrial(
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
  signal.addEventListener('abort', terminate)
  const text = { stdout: '', stderr: '' }
  for await (const { stream, data } of execution.output) {
    text[stream] += data.toString()
    if (stream === 'stdout') watch?.(text.stdout, terminate)
  }
  const status = await execution.exit
  const failure = status.kind === 'failed' ? status.cause.message : undefined
  return { code: exitCode(status), ...text, failure }
}
