/** The options of a program that keep its escapes blocked. Names are without hyphens. */
export interface KnownOptions {
  /** `getopt` is `-abc`, `-o value`, `--long=value`; `words` is `-word value` or `--word value`. */
  readonly style: 'getopt' | 'words'
  readonly flags: ReadonlySet<string>
  /** Their value is attached, or is the next argument. */
  readonly valued: ReadonlySet<string>
  /** Their value is attached, or they have none. */
  readonly attached: ReadonlySet<string>
  /** How many arguments may be something other than options, such as a database. */
  readonly words: number
}

/** An option that is not known, or a known one, which may take the next argument as its value. */
type Reading = { readonly unknown: string } | { readonly takesNext: boolean }

/**
 * The first argument that is not one of the known options, in words for people and without its value; undefined when
 * all are known. Abbreviations, which programs accept, are not known.
 */
export function unknownAmong(args: readonly string[], known: KnownOptions): string | undefined {
  let words = 0
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? ''
    if (!argument.startsWith('-') || argument === '-') {
      if (++words > known.words) return 'an argument that is no option'
      continue
    }
    const reading = known.style === 'words' ? readWord(argument, known) : readOption(argument, known)
    if ('unknown' in reading) return printable(reading.unknown)
    if (reading.takesNext && ++at >= args.length) return `${printable(argument)} without its value`
  }
  return undefined
}

function readWord(argument: string, { flags, valued }: KnownOptions): Reading {
  const name = argument.replace(/^--?/, '')
  if (valued.has(name)) return { takesNext: true }
  return flags.has(name) ? { takesNext: false } : { unknown: argument.replace(/=.*/s, '') }
}

function readOption(argument: string, known: KnownOptions): Reading {
  return argument.startsWith('--') ? readLong(argument, known) : readCluster(argument, known)
}

function readLong(argument: string, { flags, valued, attached }: KnownOptions): Reading {
  const [, name = '', value] = /^--([^=]*)(=[^]*)?$/.exec(argument) ?? []
  if (valued.has(name)) return { takesNext: value === undefined }
  if (attached.has(name) || (flags.has(name) && value === undefined)) return { takesNext: false }
  return { unknown: `--${name}` }
}

function readCluster(argument: string, { flags, valued, attached }: KnownOptions): Reading {
  for (let at = 1; at < argument.length; at++) {
    const letter = argument[at] ?? ''
    if (valued.has(letter)) return { takesNext: at === argument.length - 1 }
    if (attached.has(letter)) return { takesNext: false }
    if (!flags.has(letter)) return { unknown: `-${letter}` }
  }
  return { takesNext: false }
}

function printable(name: string): string {
  return name.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')
}

/** `'A t csv'` as a set. */
export function names(text: string): ReadonlySet<string> {
  return new Set(text.split(' ').filter((name) => name !== ''))
}
