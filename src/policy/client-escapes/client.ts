import type { KnownOptions } from './known-options.ts'

/** A database's client program whose ways to a shell and to the agent's files can be closed. */
export interface DatabaseClient {
  /** Its name, by which it is found in a connection's command. */
  readonly name: string
  /** The options that the connection's command may have. */
  readonly options: KnownOptions
  /** Options that a caller may add: nothing that names a server or a file. */
  readonly callersOptions: KnownOptions
  /** Which versions can be closed. Undefined: there is nothing to close. */
  readonly version: ClientVersion | undefined
  /** The arguments with which it starts closed. */
  readonly closed: (args: readonly Buffer[]) => Buffer[]
  /** Variables that closing needs. They override everything else. */
  readonly environment: Readonly<Record<string, string>>
  /** The script, closed from its first statement on. Whoever wrote it cannot know `key`. */
  readonly script: (script: Buffer, key: string, variables: CallersVariables) => Buffer
}

export interface ClientVersion {
  /** Arguments that make the program say its version, and fail if it lacks what is needed. */
  readonly ask: readonly string[]
  /** What to ask when `ask` fails; every version understands it. */
  readonly plainAsk?: readonly string[]
  /** The version in what the program prints; undefined when it prints something else. */
  readonly read: (said: string) => string | undefined
  /** Whether a version, as `read` gives it, can be closed. */
  readonly suffices: (version: string) => boolean
  readonly needed: string
}

/** The variables of a caller. A client does not get them under the names that the caller gave them. */
export interface CallersVariables {
  /** The name by which the client finds it; undefined when there is none. Asking passes it to the client. */
  readonly hand: (name: string) => string | undefined
}
