import { inspect } from 'node:util'
import type { Entry } from './entries/entry.ts'
import { EnvvarError } from './errors.ts'
import { expandArguments } from './entries/expand.ts'
import type { RuntimeFolder } from './folder/runtime-folder.ts'
import type { SecretFiles } from './secret-files.ts'

export interface EnvironmentRequest {
  /** The entries of `mergeEntries`: one per name. */
  readonly entries: readonly Entry[]
  /** The variables of `inheritedEnvironment`. */
  readonly inherited: ReadonlyMap<string, string>
  readonly folder: RuntimeFolder
  readonly sessionId: string
}

/** Variables by name. For a `filesystem:` entry the value is the path of its file. */
type Store = ReadonlyMap<string, Buffer>

/**
 * The variables and secret files of one execution. The files exist from `create` to disposal, so create it just
 * before the start. All values are in private fields: neither JSON nor `inspect` shows them.
 */
export class Environment implements AsyncDisposable {
  #variables: Store
  readonly #files: SecretFiles | undefined

  private constructor(variables: Store, files: SecretFiles | undefined) {
    this.#variables = variables
    this.#files = files
  }

  /** Throws `EnvvarError`, and leaves no file behind then. */
  static async create(request: EnvironmentRequest): Promise<Environment> {
    const { files, paths } = await writeFiles(request)
    return new Environment(compose(request, paths), files)
  }

  /** NAME=VALUE for the new process, sorted by name, PATH last. */
  get block(): readonly Buffer[] {
    const names = [...this.#variables.keys()].filter((name) => name !== 'PATH').sort()
    if (this.#variables.has('PATH')) names.push('PATH')
    return names.map((name) => assignment(name, this.#variables.get(name) ?? NOTHING))
  }

  /** The command line, with `$NAME` replaced by the variables that the command gets, and by no others. */
  expand(args: readonly string[]): Buffer[] {
    return expandArguments(args, (name) => this.#variables.get(name))
  }

  /** Shows the names only. Without this, `inspect` with `getters` and `showHidden` would call `block`. */
  [inspect.custom](): string {
    return `Environment ${JSON.stringify([...this.#variables.keys()])}`
  }

  /** Lets the variables go: the command has its own copy. The files stay. */
  forget(): void {
    this.#variables = new Map()
  }

  /** Removes the secret files; can be called again. Throws `RuntimeFolderError` when they cannot be removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files?.[Symbol.asyncDispose]()
  }
}

const NOTHING = Buffer.alloc(0)

/** `NAME=value` */
function assignment(name: string, value: Buffer): Buffer {
  const start = Buffer.byteLength(name) + 1
  const bytes = Buffer.allocUnsafe(start + value.length)
  bytes.write(`${name}=`)
  value.copy(bytes, start)
  return bytes
}

/** The session's variables over the agent's, except PATH, and HOME when the session's is empty. */
function compose({ entries, inherited }: EnvironmentRequest, paths: Store): Store {
  const variables = new Map<string, Buffer>()
  for (const [name, value] of inherited) variables.set(name, Buffer.from(value))
  for (const { name, value: own } of entries) {
    const value = paths.get(name) ?? own
    const replaces = name !== 'PATH' && !(name === 'HOME' && value.length === 0 && inherited.has('HOME'))
    if (replaces) variables.set(name, value)
  }
  return variables
}

interface WrittenFiles {
  readonly files: SecretFiles | undefined
  readonly paths: Store
}

async function writeFiles({ entries, folder, sessionId }: EnvironmentRequest): Promise<WrittenFiles> {
  const [first, ...rest] = entries.filter(({ kind }) => kind === 'filesystem')
  if (first === undefined) return { files: undefined, paths: new Map() }
  const files = await createFolder(folder, sessionId, first.key)
  try {
    const paths = new Map<string, Buffer>()
    for (const entry of [first, ...rest]) paths.set(entry.name, Buffer.from(await files.write(entry)))
    return { files, paths }
  } catch (error) {
    await undo(files, error)
    throw error
  }
}

async function createFolder(folder: RuntimeFolder, sessionId: string, key: string): Promise<SecretFiles> {
  try {
    return await folder.createSession(sessionId)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new EnvvarError(`failed storing ${key}: ${reason}`, { cause: error })
  }
}

/** Removes what was written before `failure`. If that fails too, the error tells about both. */
async function undo(files: SecretFiles, failure: unknown): Promise<void> {
  try {
    await files[Symbol.asyncDispose]()
  } catch (error) {
    if (!(failure instanceof EnvvarError && error instanceof Error)) throw error
    throw new EnvvarError(`${failure.message}; ${error.message}`, { cause: failure })
  }
}
