import type { WindowSize } from '../basics/window-size.ts'
import { Readable } from 'node:stream'
import type { Child, Command, StartOptions } from './child.ts'
import { Execution, type ExecutionOptions } from './execution.ts'
import { beginOwner, type DeadAgent, endOwner } from './ending/orphans.ts'
import { takeMark } from './ending/process-table.ts'
import { startPortable } from './portable-engine.ts'

/**
 * Starts commands. `name` and `reason` are for the log: the engine's name, and why it is not the posix one.
 */
export interface Engine {
  readonly name: 'posix' | 'portable'
  readonly reason: string | undefined
  /**
   * Why the processes of commands cannot be marked here (`ending/process-table.ts`); undefined when they can.
   */
  readonly unmarked: string | undefined
  /**
   * `startPosix` of posix-engine.ts, or `startPortable` of portable-engine.ts.
   * @throws SpawnError when the program cannot be started, or the reason of a signal that came before
   */
  readonly start: (command: Command, how?: StartOptions) => Promise<Child>
  readonly startTerminal: (command: Command, size: WindowSize, how?: StartOptions) => Promise<Child>
  /**
   * Prepares a process that only runs commands: it adopts processes that commands leave, and hides its own
   * memory.
   */
  readonly guard: () => void
  readonly giveBackMemory: () => void
  /**
   * Ends the processes of an agent that was killed: SIGTERM, `graceMs` milliseconds, SIGKILL. Returns their
   * number; always 0 on the portable engine.
   */
  readonly endProcessesOf: (agent: DeadAgent, graceMs: number) => Promise<number>
}

/** Loads the posix engine where there is glibc 2.34 or newer, otherwise the portable one. */
export async function loadEngine(): Promise<Engine> {
  try {
    const { startPosix, startPosixTerminal, guardPosix, giveBackMemory, endProcessesOf, whyUnmarked } =
      await import('./posix-engine.ts')
    return {
      name: 'posix',
      reason: undefined,
      unmarked: whyUnmarked(),
      start: startPosix,
      startTerminal: startPosixTerminal,
      guard: guardPosix,
      giveBackMemory,
      endProcessesOf,
    }
  } catch (error) {
    return {
      name: 'portable',
      reason: (error as Error).message,
      unmarked: undefined,
      start: startPortable,
      startTerminal: noTerminal,
      guard: () => undefined,
      giveBackMemory: () => undefined,
      endProcessesOf: () => Promise.resolve(0),
    }
  }
}

/**
 * Starts an execution. If its command cannot be started, the execution has failed already.
 * @throws only the reason of `signal`, when it is aborted before the command's turn to start
 */
export async function execute(engine: Engine, command: Command, options: ExecuteOptions): Promise<Execution> {
  const { terminal, instance, marker, graceMs, background, signal, onThisThread } = options
  // Registered before the start: otherwise another execution could end a process that this command leaves
  // very early.
  const owner = beginOwner({ mark: takeMark(instance), marker }, background === 'leave')
  const how = { mark: owner.mark, signal, onThisThread }
  try {
    const child =
      terminal === undefined
        ? await engine.start(command, how)
        : await engine.startTerminal(command, terminal, how)
    return new Execution(child, owner, { graceMs, background })
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason)
      return new Execution(failed(error as Error), owner, { graceMs, background })
    endOwner(owner)
    throw error
  }
}

interface ExecuteOptions extends ExecutionOptions, Omit<StartOptions, 'mark'> {
  /** A random uuid, the same for all executions of an agent. */
  readonly instance: string
  /**
   * An environment entry that no other execution has. It shows which processes without a mark belong to this
   * one.
   */
  readonly marker: string
  /** Size of the terminal to run the command on; without it there is none. */
  readonly terminal?: WindowSize
}

function noTerminal(): never {
  throw new Error('terminals need the posix engine, which this system does not have')
}

function failed(cause: Error): Child {
  return {
    pid: undefined,
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    reaped: Promise.resolve(),
    exited: Promise.resolve({ kind: 'failed', cause }),
    unread: () => 0,
  }
}
