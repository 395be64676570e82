import type { WindowSize } from '../basics/window-size.ts'
import type { ExitStatus } from './exit-status.ts'

/** What to run, as bytes: arguments and environment need not be valid UTF-8. */
export interface Command {
  /** Program and arguments, unquoted, without NUL. */
  readonly argv: readonly Buffer[]
  /** `NAME=value` entries: the whole environment of the child. */
  readonly environment: readonly Buffer[]
  /** Where the program is looked up: a list of folders, like $PATH. */
  readonly path: string
  /** Working folder, absolute. */
  readonly cwd: string
  /** Everything the child can read, followed by end of file. */
  readonly stdin: Uint8Array
}

export interface StartOptions {
  /** Makes its processes recognisable (`ending/process-table.ts`). */
  readonly mark?: bigint | undefined
  /** Once aborted, a command whose turn to start has not come is not started. */
  readonly signal?: AbortSignal | undefined
  /**
   * Start it on this thread, which then stands still for a moment: the pid is known in the tick of the start, before the
   * command does much.
   */
  readonly here?: boolean | undefined
}

/** What can be done with the terminal of a child. */
interface TerminalControl {
  write(data: Uint8Array): void
  /** Bytes that the terminal has not taken yet. */
  unwritten(): number
  resize(size: WindowSize): void
}

/** What an execution needs from a stream. Any Readable fits. */
export interface OutputEnd {
  /** Everything that has arrived, in memory of its own; null when nothing has. */
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
   * Bytes in the pipes right now. They are the child's output and must be delivered. For a terminal it is also above
   * 0 while its end has still to be read.
   */
  unread(): number
  /** Only for a child on a terminal. */
  readonly terminal?: TerminalControl
}
