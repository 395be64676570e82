import type { WindowSize } from '../basics/window-size.ts'
import type { Child, Command, StartOptions } from './child.ts'
import type { DeadAgent } from './ending/orphans.ts'
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

function noTerminal(): never {
  throw new Error('terminals need the posix engine, which this system does not have')
}
