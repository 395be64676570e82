import { inspect } from 'node:util'
import type { Entry } from './entry.ts'
import { EnvvarError } from './errors.ts'
import type { RuntimeFolder } from './folder/runtime-folder.ts'
import type { SecretFiles } from './secret-files.ts'

const DOLLAR = 0x24
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d
const SPECIAL_NAMES = Buffer.from('*#$@!?-0123456789')
const NAME_BYTES = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_')

/**
 * Limits in bytes. They are close to Linux's limits: 128 KiB for one argument, and some MiB for all. Larger
 * arguments are refused before they need memory.
 */
const MAX_ARGUMENT_BYTES = 128 * 1024
const MAX_ARGUMENTS_BYTES = 4 * 1024 * 1024

/** Returns undefined if the session has no variable with this name. */
type Lookup = (name: string) => Buffer | undefined

interface Expansion {
  /** Undefined if the result would be longer than the system accepts. Such a result is not built. */
  readonly bytes: Buffer | undefined
  /** Whether any variable contributed at least one byte. */
  readonly substituted: boolean
}

/**
 * Replaces `$NAME` and `${NAME}` like Go's os.Expand (protocol.md 5.6), but not in the program, which is
 * `args[0]`. Values keep their bytes. An argument with a `$` is refused if no variable adds a byte to it.
 * Therefore an empty variable counts as missing, and a literal `$` is refused.
 */
export function expandArguments(args: readonly string[], lookup: Lookup): Buffer[] {
  const [program, ...rest] = args
  if (program === undefined) throw new EnvvarError('connection must be at least one argument')
  const expansions = rest.map((argument) => expand(Buffer.from(argument), lookup))
  const missing = rest.filter((argument, at) => argument.includes('$') && !expansions[at]?.substituted)
  if (missing.length > 0) {
    const list = missing.join(',')
    throw new EnvvarError(`could not find environment variable for commands [${list}]`)
  }
  refuseOversized(expansions)
  const argv = [Buffer.from(program), ...expansions.map(({ bytes }) => bytes ?? Buffer.alloc(0))]
  refuseNul(argv)
  return argv
}

function refuseOversized(expansions: readonly Expansion[]): void {
  const at = expansions.findIndex(({ bytes }) => bytes === undefined)
  const total = expansions.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)
  if (at < 0 && total <= MAX_ARGUMENTS_BYTES) return
  const what = at < 0 ? 'the arguments of the command are' : `argument ${at + 1} of the command is`
  throw new EnvvarError(
    `${what} too long for this system: pass large values as filesystem: or on standard input`,
  )
}

/**
 * Refuses a NUL. For the system, an argument ends at a NUL, so the program would silently receive a shorter
 * argument.
 */
function refuseNul(argv: readonly Buffer[]): void {
  const at = argv.findIndex((argument) => argument.includes(0))
  if (at >= 0) throw new EnvvarError(`argument ${at} of the command contains a NUL byte`)
}

function expand(argument: Buffer, lookup: Lookup): Expansion {
  const pieces: Buffer[] = []
  let substituted = false
  let from = 0
  // The last brace is searched only once. Otherwise, an argument full of `${` would be searched to its end
  // for each `${`.
  const lastBrace = argument.lastIndexOf(CLOSING_BRACE)
  let dollar = argument.indexOf(DOLLAR)
  while (dollar >= 0 && dollar + 1 < argument.length) {
    pieces.push(argument.subarray(from, dollar))
    const { name, width } = readName(argument, dollar + 1, lastBrace)
    if (name !== undefined) {
      const value = lookup(name) ?? Buffer.alloc(0)
      substituted ||= value.length > 0
      pieces.push(value)
    }
    // A `$` without a name stays in the text. Broken braces (`${` and `${}`) are removed together with their
    // `$`.
    from = width === 0 ? dollar : dollar + 1 + width
    dollar = argument.indexOf(DOLLAR, dollar + 1 + width)
  }
  pieces.push(argument.subarray(from))
  if (pieces.reduce((sum, { length }) => sum + length, 0) > MAX_ARGUMENT_BYTES)
    return { bytes: undefined, substituted }
  return { bytes: Buffer.concat(pieces), substituted }
}

/** Reads the text after a `$`. `width` is the number of bytes to skip. */
function readName(argument: Buffer, at: number, lastBrace: number): { name?: string; width: number } {
  const first = argument[at]
  if (first === OPENING_BRACE) return at > lastBrace ? { width: 1 } : readBracedName(argument, at)
  if (first !== undefined && SPECIAL_NAMES.includes(first)) return named(argument, at, at + 1, 1)
  let end = at
  while (isNameByte(argument[end])) end++
  return end === at ? { width: 0 } : named(argument, at, end, end - at)
}

function readBracedName(argument: Buffer, at: number): { name?: string; width: number } {
  const close = argument.indexOf(CLOSING_BRACE, at + 1)
  if (close === at + 1) return { width: 2 }
  return named(argument, at + 1, close, close + 1 - at)
}

function named(argument: Buffer, from: number, to: number, width: number): { name: string; width: number } {
  return { name: argument.toString('utf8', from, to), width }
}

function isNameByte(byte: number | undefined): boolean {
  return byte !== undefined && NAME_BYTES.includes(byte)
}

interface EnvironmentRequest {
  /** The entries that `mergeEntries` returns. Each name occurs once. */
  readonly entries: readonly Entry[]
  /** The variables of `inheritedEnvironment`. */
  readonly inherited: ReadonlyMap<string, string>
  readonly folder: RuntimeFolder
  readonly sessionId: string
}

/** The variables by name. The value of a `filesystem:` entry is the path of its file. */
type Store = ReadonlyMap<string, Buffer>

/**
 * The variables and secret files of one execution. Call `create` just before the execution starts, because
 * the files exist from `create` to disposal. Private fields keep values out of JSON and `inspect`.
 */
export class Environment implements AsyncDisposable {
  #variables: Store
  readonly #files: SecretFiles | undefined

  private constructor(variables: Store, files: SecretFiles | undefined) {
    this.#variables = variables
    this.#files = files
  }

  /** @throws EnvvarError if the creation fails; then no file is left */
  static async create(request: EnvironmentRequest): Promise<Environment> {
    const { files, paths } = await writeFiles(request)
    return new Environment(compose(request, paths), files)
  }

  /** Returns the variables as NAME=VALUE for the new process. They are sorted by name, but PATH is last. */
  get block(): readonly Buffer[] {
    const names = [...this.#variables.keys()].filter((name) => name !== 'PATH').sort()
    if (this.#variables.has('PATH')) names.push('PATH')
    return names.map((name) => assignment(name, this.#variables.get(name) ?? NOTHING))
  }

  /** Replaces variables in the arguments. Only variables that the command receives are used. */
  expand(args: readonly string[]): Buffer[] {
    return expandArguments(args, (name) => this.#variables.get(name))
  }

  /** Without this method, `inspect` with `getters` and `showHidden` would call `block`. */
  [inspect.custom](): string {
    return `Environment ${JSON.stringify([...this.#variables.keys()])}`
  }

  /** Drops the variables, because the command has its own copy. The files are kept. */
  forget(): void {
    this.#variables = new Map()
  }

  /**
   * Removes the files. This method can be called again.
   * @throws SetUpError if the files cannot be removed
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files?.[Symbol.asyncDispose]()
  }
}

const NOTHING = Buffer.alloc(0)

function assignment(name: string, value: Buffer): Buffer {
  const start = Buffer.byteLength(name) + 1
  const bytes = Buffer.allocUnsafe(start + value.length)
  bytes.write(`${name}=`)
  value.copy(bytes, start)
  return bytes
}

/**
 * Joins the variables. The session's variables replace the agent's. Exceptions are PATH and an empty HOME,
 * for which the agent's value stays.
 */
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

/**
 * Removes the files that were written before `failure`. If the removal also fails, the error has both texts.
 */
async function undo(files: SecretFiles, failure: unknown): Promise<void> {
  try {
    await files[Symbol.asyncDispose]()
  } catch (error) {
    if (!(failure instanceof EnvvarError && error instanceof Error)) throw error
    throw new EnvvarError(`${failure.message}; ${error.message}`, { cause: failure })
  }
}
