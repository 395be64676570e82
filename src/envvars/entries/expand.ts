import { EnvvarError } from '../errors.ts'

const DOLLAR = 0x24
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d
const SPECIAL_NAMES = Buffer.from('*#$@!?-0123456789')
const NAME_BYTES = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_')

/** Close to Linux's: 128 KiB for one argument, some MiB for all. Refused before memory is spent on more. */
const MAX_ARGUMENT_BYTES = 128 * 1024
const MAX_ARGUMENTS_BYTES = 4 * 1024 * 1024

/** The value of a variable, or undefined when the session has none of that name. */
type Lookup = (name: string) => Buffer | undefined

interface Expansion {
  /** Undefined when it would be longer than the system accepts; then it is not even put together. */
  readonly bytes: Buffer | undefined
  /** Whether any variable contributed at least a byte. */
  readonly substituted: boolean
}

/**
 * The command line, with `$NAME` and `${NAME}` replaced as by Go's os.Expand (protocol.md 5.6). The program, `args[0]`,
 * stays as it is. An argument with a `$` is refused when no variable has added anything to it: a variable that is set
 * but empty counts as missing, and a literal `$` is refused, too. Values keep their bytes.
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

/** Refuses a NUL. For the system an argument ends there, so the program would silently get less than was written. */
function refuseNul(argv: readonly Buffer[]): void {
  const at = argv.findIndex((argument) => argument.includes(0))
  if (at >= 0) throw new EnvvarError(`argument ${at} of the command contains a NUL byte`)
}

function expand(argument: Buffer, lookup: Lookup): Expansion {
  const pieces: Buffer[] = []
  let substituted = false
  let from = 0
  // Found once, at the start. An argument full of `${` would otherwise be searched to its end for each of them.
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
    // A `$` with no name after it stays; broken braces (`${`, `${}`) vanish with their `$`.
    from = width === 0 ? dollar : dollar + 1 + width
    dollar = argument.indexOf(DOLLAR, dollar + 1 + width)
  }
  pieces.push(argument.subarray(from))
  if (pieces.reduce((sum, { length }) => sum + length, 0) > MAX_ARGUMENT_BYTES)
    return { bytes: undefined, substituted }
  return { bytes: Buffer.concat(pieces), substituted }
}

/** Reads what follows a `$`: the name, if there is one, and the number of bytes to skip. */
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
