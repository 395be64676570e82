import type { WindowSize } from '../basics/window-size.ts'
import type { Child, Command, StartOptions } from './child.ts'
import type { DeadAgent } from './ending/orphans.ts'
import { startPortable } from './portable-engine.ts'

/**
 * Starts commands. `reason` says in the log why this is not the posix engine; undefined for the posix
 * engine.
 */
export interface Engine {
  readonly name: 'posix' | 'portable'
  readonly reason: string | undefined
  /**
   * Why the processes of commands cannot be marked here (`ending/process-table.ts`); undefined when they can
   * be marked.
   */
  readonly unmarked: string | undefined
  /**
   * `startPosix` of posix-engine.ts, or `startPortable` of portable-engine.ts.
   * @throws SpawnError when the program cannot be started, or the reason of a signal that was aborted before
   * the start
   */
  readonly start: (command: Command, how?: StartOptions) => Promise<Child>
  readonly startTerminal: (command: Command, size: WindowSize, how?: StartOptions) => Promise<Child>
  /**
   * Prepares the process of an agent: adopts processes that commands leave, and hides the memory of this
   * process.
   */
  readonly guard: () => void
  readonly giveBackMemory: () => void
  /**
   * Ends the processes of an agent that was killed: with SIGTERM, and after `graceMs` with SIGKILL. Returns
   * the number of ended processes; always 0 on the portable engine.
   */
  readonly endProcessesOf: (agent: DeadAgent, graceMs: number) => Promise<number>
}

/** Loads the posix engine on systems with glibc 2.34 or newer, otherwise the portable engine. */
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
  throw new Error(
    'terminals need the posix engine, which does not run on this system (it needs Linux with glibc 2.34 or newer)',
  )
}
