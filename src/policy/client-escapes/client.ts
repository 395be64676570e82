import type { KnownOptions } from './known-options.ts'

/** A database's client program whose ways to a shell and to the agent's files can be closed. */
export interface DatabaseClient {
  /** Its name, by which the program of a connection's command is known. */
  readonly name: string
  /** What the connection's command may have for arguments. */
  readonly options: KnownOptions
  /** Of them, what a caller may add: nothing that names a server or a file. */
  readonly callersOptions: KnownOptions
  /** Which version can be closed; undefined: there is nothing to close. */
  readonly version: ClientVersion | undefined
  /** The arguments with which it starts closed. */
  readonly closed: (args: readonly Buffer[]) => Buffer[]
  /** What it has to find in its environment for that, over everything else. */
  readonly environment: Readonly<Record<string, string>>
  /** The script that is closed from its first statement on. `key` is unknown to whoever wrote it. */
  readonly script: (script: Buffer, key: string, variables: CallersVariables) => Buffer
  /** What a script has that is open for all that, for people; undefined when there is nothing. */
  readonly openPart?: (script: Buffer) => string | undefined
}

export interface ClientVersion {
  /** Arguments that make the program say its version, and fail if it lacks what is needed. */
  readonly ask: readonly string[]
  /** Where `ask` may fail: the same for every version that there is. */
  readonly plainAsk?: readonly string[]
  /** The version in what it says, undefined when it says something else. */
  readonly read: (said: string) => string | undefined
  /** Whether a version, as `read` gives it, can be closed. */
  readonly suffices: (version: string) => boolean
  /** For people: the versions that can. */
  readonly needed: string
}

/** The variables of a caller, which a client does not get under the names that he gave them. */
export interface CallersVariables {
  /** Under which name the client finds it; undefined when there is none of that name. Asking hands it to the client. */
  readonly hand: (name: string) => string | undefined
}
