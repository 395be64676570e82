import type { WindowSize } from '../basics/window-size.ts'
import { closeSync } from 'node:fs'
import { Readable } from 'node:stream'
import * as nodePty from 'node-pty'
import type { Child } from './child.ts'
import { SpawnError, type ExitStatus } from './exit-status.ts'
import { PipeEnd } from './output/pipe-end.ts'
import { bytesInPipe, closeOnExec, editUtf8, isHungUp } from './linux/posix.ts'
import { TerminalInput } from './terminal-input.ts'

/**
 * What we use of node-pty: opening and resizing. Its `native` is not documented, so test/runtime/pty.test.ts guards
 * it. Our own engine starts the program, as it does all others, and reads the output, because node-pty loses the last
 * output of short programs (its issue 72).
 */
interface NativePty {
  open(cols: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string }
  resize(master: number, cols: number, rows: number, widthPixels: number, heightPixels: number): void
}

const native = (nodePty as unknown as { readonly native: NativePty }).native

export interface OpenTerminal {
  /** Path of the end that becomes the program's 0, 1 and 2. */
  readonly path: string
  /** Closes both ends when no program was started on it. */
  discard(): void
  /** The started program as a child. Its output is the terminal's; stderr is empty. */
  child(pid: number, exited: Promise<ExitStatus>): Child
}

/** @throws SpawnError when the system has no terminal or descriptor left */
export function openTerminal(size: WindowSize): OpenTerminal {
  const { master, slave, pty } = open(size)
  // Without this, every program started later could read and write this terminal.
  closeOnExec(master)
  closeOnExec(slave)
  editUtf8(slave)
  return {
    path: pty,
    discard: () => {
      closeSync(master)
      closeSync(slave)
    },
    child: (pid, exited) => terminalChild(pid, exited, master, slave),
  }
}

function open({ cols, rows }: WindowSize): ReturnType<NativePty['open']> {
  try {
    return native.open(cols, rows)
  } catch (error) {
    // node-pty does not say which of the two it is.
    const reason = `${(error as Error).message} The agent has no file descriptor left (ulimit -n), or the system no terminal (kernel.pty.max)`
    throw new SpawnError('EMFILE', `no terminal could be opened: ${reason}`)
  }
}

function terminalChild(pid: number, reaped: Promise<ExitStatus>, master: number, slave: number): Child {
  const line = new PipeEnd(master, 'terminal')
  const input = new TerminalInput(master, () => line.destroyed)
  const exited = reaped.then((status) => {
    // Closed only now. A program may close its terminal and open it again, but once the last slave is closed the
    // output ends.
    closeSync(slave)
    return status
  })
  return {
    pid,
    stdout: line,
    stderr: Readable.from([]),
    reaped,
    exited,
    unread: () => (line.destroyed ? 0 : unreadBytes(master)),
    terminal: {
      write: (data) => input.write(data),
      unwritten: () => input.unwritten,
      resize: ({ cols, rows }) => {
        if (!line.destroyed) native.resize(master, cols, rows, 0, 0)
      },
    },
  }
}

/** Counts the end as one byte: after the hangup there is something to read, even if the last bytes come late. */
function unreadBytes(master: number): number {
  return Number(isHungUp(master)) + bytesInPipe(master)
}
