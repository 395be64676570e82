import type { WindowSize } from '../basics/window-size.ts'
import type { ExitStatus } from './exit-status.ts'

/** A command to run, as bytes: arguments and environment need not be valid UTF-8. */
export interface Command {
  /** Program and arguments, unquoted, without NUL. */
  readonly argv: readonly Buffer[]
  /** `NAME=value` entries: the whole environment of the child. */
  readonly environment: readonly Buffer[]
  /** A list of folders, like $PATH, in which the program is looked up. */
  readonly path: string
  /** Working folder, absolute. */
  readonly cwd: string
  /** All input of the child, followed by end of file. */
  readonly stdin: Uint8Array
}

export interface StartOptions {
  /** Mark of the command's processes (`ending/process-table.ts`). */
  readonly mark?: bigint | undefined
  /** Aborts when the command is not wanted any more: then it is not started, if it still waits for its turn. */
  readonly signal?: AbortSignal | undefined
  /**
   * Whether this thread starts the command and blocks until it has started: then its caller has the pid in the
   * tick of the start, before the command can do much. Otherwise another thread starts it.
   */
  readonly onThisThread?: boolean | undefined
}

interface TerminalControl {
  write(data: Uint8Array): void
  /** Bytes that the terminal has not taken yet. */
  unwritten(): number
  resize(size: WindowSize): void
}

/** The part of a stream that an execution needs. Any Readable fits. */
export interface OutputEnd {
  /** Returns all bytes that have arrived, in memory of their own; null when there are none. */
  read(): Buffer | null
  /** Bytes that have arrived and were not read yet. */
  readonly readableLength: number
  on(event: 'readable' | 'end' | 'close' | 'error', listener: () => void): this
  destroy(): void
}

/** A started process, as an engine returns it. The execution owns the two streams. */
export interface Child {
  /** Also its process group and its session. Undefined when it could not be started. */
  readonly pid: number | undefined
  readonly stdout: OutputEnd
  readonly stderr: OutputEnd
  /** Settles the moment the process is reaped. From then on its number may belong to another process. */
  readonly reaped: Promise<unknown>
  /** Settles when the process itself has ended, even if others still hold its pipes. Never rejects. */
  readonly exited: Promise<ExitStatus>
  /**
   * Returns the number of bytes in the pipes now. They are the child's output and must be delivered. For a
   * terminal the number is also above 0 while its end is still to be read.
   */
  unread(): number
  /** Only for a child on a terminal. */
  readonly terminal?: TerminalControl
}
