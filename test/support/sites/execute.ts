import type { WindowSize } from '../../../src/basics/window-size.ts'
import { randomUUID } from 'node:crypto'
import { loadEngine, type Engine } from '../../../src/runtime/engine.ts'
import { execute, type Execution } from '../../../src/runtime/execution.ts'
import type { ExitStatus } from '../../../src/runtime/exit-status.ts'

export const engine = await loadEngine()
const instance = randomUUID()

export interface Run {
  readonly stdin?: string | Uint8Array
  readonly environment?: readonly string[]
  readonly cwd?: string
  readonly graceMs?: number
  readonly engine?: Engine
  readonly terminal?: WindowSize
  /** An entry of the environment, where it matters that no other execution has it. */
  readonly marker?: string
  readonly background?: 'kill' | 'leave'
  readonly signal?: AbortSignal
}

/** Starts a program with the environment PATH and its marker only, unless told otherwise. */
export function start(argv: readonly string[], run: Run = {}): Promise<Execution> {
  const path = process.env['PATH'] ?? ''
  const marker = run.marker ?? 'MARKER=of-a-test'
  const command = {
    argv: argv.map((argument) => Buffer.from(argument)),
    environment: [...(run.environment ?? []), marker, `PATH=${path}`].map((entry) => Buffer.from(entry)),
    path,
    cwd: run.cwd ?? '/',
    stdin: Buffer.from(run.stdin ?? ''),
  }
  return execute(run.engine ?? engine, command, {
    graceMs: run.graceMs ?? 2000,
    instance,
    marker,
    signal: run.signal,
    ...(run.background !== undefined && { background: run.background }),
    ...(run.terminal !== undefined && { terminal: run.terminal }),
  })
}

export interface Outcome {
  readonly stdout: Buffer
  readonly stderr: Buffer
  readonly status: ExitStatus
}

export async function outcome(execution: Pick<Execution, 'output' | 'exit'>): Promise<Outcome> {
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  for await (const { stream, data } of execution.output) parts[stream].push(Buffer.from(data))
  const status = await execution.exit
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr), status }
}

export async function run(argv: readonly string[], options: Run = {}): Promise<Outcome> {
  return outcome(await start(argv, options))
}
