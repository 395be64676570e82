import type { WindowSize } from '../basics/window-size.ts'
import type { ExitStatus } from './exit-status.ts'

/** What to run. Bytes, because neither arguments nor environment need be valid UTF-8. */
export interface Command {
  /** Program and arguments, unquoted, without NUL. */
  readonly argv: readonly Buffer[]
  /** `NAME=value` entries: the whole environment of the child. */
  readonly environment: readonly Buffer[]
  /** Where the program is looked up: a list of folders like $PATH. */
  readonly path: string
  /** Working folder, absolute. */
  readonly cwd: string
  /** All the child will read; end of file follows. */
  readonly stdin: Uint8Array
}

/** The keyboard's side of a child that runs on a terminal. */
interface TerminalControl {
  write(data: Uint8Array): void
  /** Bytes written and not yet taken by the terminal. */
  unwritten(): number
  resize(size: WindowSize): void
}

/** What an execution needs of a stream that it reads; any Readable will do. */
export interface OutputEnd {
  /** Everything that is here, null when nothing is. The bytes stay as they are until it is called again. */
  read(): Buffer | null
  /** Bytes that are here and were not read yet. */
  readonly readableLength: number
  on(event: 'readable' | 'end' | 'close' | 'error', listener: () => void): this
  destroy(): void
}

/** A started process as an engine hands it over; the execution owns the two streams. */
export interface Child {
  /** Also its process group and its session. undefined when it could not be started. */
  readonly pid: number | undefined
  readonly stdout: OutputEnd
  readonly stderr: OutputEnd
  /** Settles in the moment in which the process is reaped; from then on its number may be somebody else's. */
  readonly reaped: Promise<unknown>
  /** Settles when the process itself has ended, whoever still holds its pipes. Never rejects. */
  readonly exited: Promise<ExitStatus>
  /** Bytes that lie in the pipes at this moment, not yet read: they are the child's and must be delivered. Above 0 also when the end of a terminal is sure to come. */
  unread(): number
  /** Only for a child on a terminal. */
  readonly terminal?: TerminalControl
}
