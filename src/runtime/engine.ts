import type { WindowSize } from '../basics/window-size.ts'
import type { Child, Command, StartOptions } from './child.ts'
import type { DeadAgent } from './ending/orphans.ts'
import { startPortable } from './portable-engine.ts'

/** `reason` says in the log why this is not the posix engine. */
export interface Engine {
  readonly name: 'posix' | 'portable'
  readonly reason: string | undefined
  /** Why the processes of commands cannot be marked here (`ending/process-table.ts`). */
  readonly unmarked: string | undefined
  /**
   * @throws SpawnError if the program cannot be started, or the reason of a signal that was aborted before
   * the start
   */
  readonly start: (command: Command, how?: StartOptions) => Promise<Child>
  readonly startTerminal: (command: Command, size: WindowSize, how?: StartOptions) => Promise<Child>
  /**
   * Makes this process adopt the processes that commands leave, and hides the memory of this process. Only
   * agents call it.
   */
  readonly guard: () => void
  readonly giveBackMemory: () => void
  /**
   * Sends SIGTERM, and SIGKILL after `graceMs`. Returns the number of ended processes; always 0 on the
   * portable engine.
   */
  readonly endProcessesOfAgent: (agent: DeadAgent, graceMs: number) => Promise<number>
}

/** Loads the posix engine on systems with glibc 2.34 or newer. */
export async function loadEngine(): Promise<Engine> {
  try {
    const { startPosix, startPosixTerminal, guardPosix, giveBackMemory, endProcessesOfAgent, whyUnmarked } =
      await import('./posix-engine.ts')
    return {
      name: 'posix',
      reason: undefined,
      unmarked: whyUnmarked(),
      start: startPosix,
      startTerminal: startPosixTerminal,
      guard: guardPosix,
      giveBackMemory,
      endProcessesOfAgent,
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
      endProcessesOfAgent: () => Promise.resolve(0),
    }
  }
}

function noTerminal(): never {
  throw new Error(
    'terminals need the posix engine, which does not run on this system (it needs Linux with glibc 2.34 or newer)',
  )
}
