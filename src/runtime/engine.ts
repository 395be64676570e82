import { Readable } from 'node:stream'
import type { Child, Command } from './child.ts'
import { Execution } from './execution.ts'
import { startPortable } from './portable-engine.ts'

/** Starts commands; `name` says in the log which engine this system has, `reason` why it is not the posix one. */
export interface Engine {
  readonly name: 'posix' | 'portable'
  readonly reason: string | undefined
  /** @throws SpawnError when the program cannot be started */
  readonly start: (command: Command) => Child | Promise<Child>
}

/** The posix engine where glibc (2.34 or newer) is, else the portable one. */
export async function loadEngine(): Promise<Engine> {
  try {
    const { startPosix } = await import('./posix-engine.ts')
    return { name: 'posix', reason: undefined, start: startPosix }
  } catch (error) {
    return { name: 'portable', reason: (error as Error).message, start: startPortable }
  }
}

/** Never throws: a command that cannot be started is an execution that has already failed. */
export async function execute(engine: Engine, command: Command, graceMs: number): Promise<Execution> {
  try {
    return new Execution(await engine.start(command), graceMs)
  } catch (error) {
    return new Execution(failed(error as Error), graceMs)
  }
}

function failed(cause: Error): Child {
  return {
    pid: undefined,
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    exited: Promise.resolve({ kind: 'failed', cause }),
    unread: () => 0,
  }
}
