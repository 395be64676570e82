import { closeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { ReadStream } from 'node:tty'
import * as nodePty from 'node-pty'
import type { Child, WindowSize } from './child.ts'
import type { ExitStatus } from './exit-status.ts'
import { bytesInOutputQueue, bytesInPipe, closeOnExec } from './posix.ts'
import { TerminalInput } from './terminal-input.ts'

/**
 * What we take of node-pty: opening and resizing. Its `native` is not documented, test/runtime/pty.test.ts guards it.
 * Starting is left to our own engine, so that there is one; reading too, since node-pty loses the last output of
 * programs that end quickly (its issue 72).
 */
interface NativePty {
  open(cols: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string }
  resize(master: number, cols: number, rows: number, widthPixels: number, heightPixels: number): void
}

const native = (nodePty as unknown as { readonly native: NativePty }).native

/** The line counts as quiet after two looks without a byte; the kernel moves bytes to the master in the background. */
const LOOK_MS = 10
const QUIET_LOOKS = 2
/** A background process may write to the terminal for ever. */
const DRAIN_MS = 2000

export interface OpenTerminal {
  /** Path of the end that the program gets as 0, 1 and 2. */
  readonly path: string
  /** Gives both ends back when no program was started on it. */
  discard(): void
  /** The started program as a child: its output is the terminal's, stderr is empty. */
  child(pid: number, exited: Promise<ExitStatus>): Child
}

export function openTerminal({ cols, rows }: WindowSize): OpenTerminal {
  const { master, slave, pty } = native.open(cols, rows)
  // Without it every program started later could read and write this terminal.
  closeOnExec(master)
  closeOnExec(slave)
  return {
    path: pty,
    discard: () => {
      closeSync(master)
      closeSync(slave)
    },
    child: (pid, exited) => terminalChild(pid, exited, master, slave),
  }
}

function terminalChild(pid: number, reaped: Promise<ExitStatus>, master: number, slave: number): Child {
  const line = new ReadStream(master)
  const input = new TerminalInput(master, () => line.destroyed)
  const unread = () => (line.destroyed ? 0 : bytesInPipe(master) + bytesInOutputQueue(slave))
  const exited = reaped.then(async (status) => {
    await quiet(line, unread)
    // Only now: closed at the exit, the kernel would throw away what is on its way to the master.
    closeSync(slave)
    return status
  })
  return {
    pid,
    stdout: line,
    stderr: Readable.from([]),
    reaped,
    exited,
    unread: () => 0,
    terminal: {
      write: (data) => input.write(data),
      unwritten: () => input.unwritten,
      resize: ({ cols, rows }) => {
        if (!line.destroyed) native.resize(master, cols, rows, 0, 0)
      },
    },
  }
}

/** Waits until everything the program wrote has been read, however slow the reader; output of others is bounded. */
async function quiet(line: ReadStream, unread: () => number): Promise<void> {
  const end = performance.now() + DRAIN_MS
  const owed = line.bytesRead + unread()
  for (let looks = 0; looks < QUIET_LOOKS && !line.destroyed;) {
    await delay(LOOK_MS)
    looks = unread() + line.readableLength === 0 ? looks + 1 : 0
    if (performance.now() > end && line.readableLength === 0 && line.bytesRead >= owed) return
  }
}
