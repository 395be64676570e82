/** Options that a program may have while its escapes stay blocked, without hyphens. */
export interface KnownOptions {
  /**
   * With `getopt`, options are written as `-abc`, `-o value` or `--long=value`. With `words`, they are
   * written as `-word value` or `--word value`.
   */
  readonly style: 'getopt' | 'words'
  readonly flags: ReadonlySet<string>
  /** Options whose value is attached, or is the next argument. */
  readonly valued: ReadonlySet<string>
  /** Options whose value is attached, or that have no value. */
  readonly attached: ReadonlySet<string>
  /** Maximum number of arguments that are not options, such as a database. */
  readonly words: number
}

/**
 * One argument is either an unknown option or a known option. If `takesNext` is true, the next argument is
 * the option's value.
 */
type Reading = { readonly unknown: string } | { readonly takesNext: boolean }

/** Describes the first unknown argument, without its value. Abbreviated options count as unknown. */
export function unknownAmong(args: readonly string[], known: KnownOptions): string | undefined {
  let words = 0
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? ''
    if (!argument.startsWith('-') || argument === '-') {
      if (++words > known.words) return 'an argument that is not an option'
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

export function names(text: string): ReadonlySet<string> {
  return new Set(text.split(' ').filter((name) => name !== ''))
}

/** A database's own program (psql, mariadb, redis-cli) that can be kept from shells and the agent's files. */
export interface DatabaseProgram {
  readonly name: string
  /** The options that the connection's command may have. */
  readonly options: KnownOptions
  /** Options that a caller may add; none of them names a server or a file. */
  readonly callersOptions: KnownOptions
  /** Undefined when the arguments alone restrict every version. */
  readonly version: ProgramVersion | undefined
  readonly restricted: (args: readonly Buffer[]) => Buffer[]
  /** Environment variables that restrict the program. They override all other variables. */
  readonly environment: Readonly<Record<string, string>>
  /** Restricts the script from its first statement on. The script's author must not know `key`. */
  readonly script: (script: Buffer, key: string, variables: CallersVariables) => Buffer
}

export interface ProgramVersion {
  /** Arguments that print the version, and that fail if the program lacks a needed option. */
  readonly ask: readonly string[]
  /** Arguments for releases that fail with `ask`. */
  readonly plainAsk?: readonly string[]
  readonly read: (said: string) => string | undefined
  readonly suffices: (version: string) => boolean
  readonly needed: string
}

/** The variables of a caller. The program gets each of them under a new name. */
interface CallersVariables {
  /**
   * Passes the variable to the program and returns its new name. Returns undefined if the caller has no such
   * variable.
   */
  readonly hand: (name: string) => string | undefined
}

/**
 * Name of the variable in which a gateway sends this setting of a connection. Any gateway can send it. No
 * caller can set it.
 */
export const CLIENT_ESCAPES = 'RUNBOOK_AGENT_CLIENT_ESCAPES'

const BLOCKED = 'client escapes are blocked on this connection'
const WAY = `or allow escapes (access.client-escapes in gateway.yaml, ${CLIENT_ESCAPES} in a connection of hoop)`

/** Messages for the user who runs the script, when the agent refuses to run it. */
export const refusals = {
  wish: () => `${CLIENT_ESCAPES} of this connection must be block or allow`,

  terminal: () =>
    `${BLOCKED}, but a terminal cannot block escapes. Run a script with exec or a runbook, ${WAY}`,

  program: () =>
    `${BLOCKED}, and only psql, mariadb and redis-cli can block escapes. Begin the command with one of these programs, without a shell or another program before it, ${WAY}`,

  open: (why: string) => `${BLOCKED}, but ${why}. Use another program, ${WAY}`,

  option: ({ name }: DatabaseProgram, option: string) =>
    `${BLOCKED}, but ${option} in the connection's command may open escapes of ${name}. Remove ${option}, ${WAY}`,

  callersOption: ({ name }: DatabaseProgram, option: string) =>
    `${BLOCKED}, so callers may add only arguments that set how ${name} prints results. Not allowed: ${option}`,

  version: ({ name, version }: DatabaseProgram, found: string | undefined) =>
    `${BLOCKED}, but ${found === undefined ? `this ${name}, whose version is not known,` : `${name} ${found}`} cannot block escapes. Install ${version?.needed ?? ''} where the agent runs, ${WAY}`,
}

/**
 * Allowed options of mariadb. The list leaves out -e, because mariadb would not read the script. It also
 * leaves out --tee, --pager, --skip-sandbox, --local-infile, --plugin-dir and the options that name option
 * files.
 */
const MARIADB_OPTIONS: KnownOptions = {
  style: 'getopt',
  flags: names(
    'A b B c C f H i L N n o q r s t U v w W X E batch binary-as-hex binary-mode column-names comments compress enable-cleartext-plugin ' +
      'force html line-numbers no-auto-rehash no-beep one-database quick raw safe-updates sandbox silent ' +
      'show-warnings skip-auto-rehash skip-column-names skip-line-numbers skip-reconnect skip-ssl ' +
      'ssl ssl-verify-server-cert table unbuffered verbose vertical wait xml',
  ),
  valued: names(
    'D h P S u connect-timeout database default-auth default-character-set delimiter host init-command max-allowed-packet port protocol ' +
      'socket ssl-ca ssl-capath ssl-cert ssl-cipher ssl-crl ssl-crlpath ssl-key tls-version user',
  ),
  attached: names('p password'),
  words: 1,
}

const mariadb: DatabaseProgram = {
  name: 'mariadb',
  options: MARIADB_OPTIONS,
  callersOptions: {
    ...MARIADB_OPTIONS,
    flags: names(
      'B H N q r s t v E X batch column-names html quick raw silent skip-column-names table verbose vertical xml',
    ),
    valued: names(''),
    attached: names(''),
    words: 0,
  },
  version: {
    ask: ['--sandbox', '--version'],
    plainAsk: ['--version'],
    // MariaDB prints "Ver 15.1 Distrib 10.11.19-MariaDB, for ..." or "from 11.4.2-MariaDB, client 15.2 for
    // ...". Oracle's client prints "Ver 8.4.0 for ...".
    read: (said) => (/(?:Distrib|from) ([^\s,]+)/.exec(said) ?? /Ver (\S+)/.exec(said))?.[1],
    // `ask` has --sandbox first, so a client that prints its version knows --sandbox.
    suffices: (version) => version.endsWith('-MariaDB'),
    needed:
      'a client of MariaDB 10.5.25, 10.6.18, 10.11.8 or 11.4.2, a newer release of these, or 11.5 (clients of MySQL cannot block escapes)',
  },
  // These options are at the end, because the last of several equal options counts.
  restricted: (args) => [...args, Buffer.from('--sandbox'), Buffer.from('--local-infile=0')],
  // The sandbox does not block the command `edit`.
  environment: { VISUAL: '/bin/false', EDITOR: '/bin/false' },
  script: (script) => script,
}

/** `mysql` is MariaDB's client under its old name, or Oracle's client. Oracle's client has no sandbox. */
const mysql: DatabaseProgram = { ...mariadb, name: 'mysql' }

/**
 * First minor release with the fix, per major version. Some older releases also have `\restrict`
 * (CVE-2025-8714), but they expand the argument of `\unrestrict`, so a command in back-quotes runs. Version
 * 13 has no fix.
 */
const FIRST_MINOR: ReadonlyMap<number, number> = new Map([
  [14, 24],
  [15, 19],
  [16, 15],
  [17, 11],
  [18, 6],
])
/** Every release from this major version on has the fix. */
const FIRST_MAJOR = 19

/**
 * Allowed options of psql. The list leaves out -c and -f, because psql would not read the script. It also
 * leaves out -o and -L, which name a file or a command, and -l and -s.
 */
const PSQL_OPTIONS: KnownOptions = {
  style: 'getopt',
  flags: names(
    'a A b e E H n q S t w W x X z 0 1 csv echo-all echo-errors echo-hidden echo-queries expanded ' +
      'field-separator-zero html no-align no-password no-psqlrc no-readline password quiet ' +
      'record-separator-zero single-line single-transaction tuples-only',
  ),
  valued: names(
    'd F h p P R T U v dbname field-separator host port pset record-separator set table-attr username variable',
  ),
  attached: names(''),
  words: 2,
}

const psql: DatabaseProgram = {
  name: 'psql',
  options: PSQL_OPTIONS,
  callersOptions: {
    ...PSQL_OPTIONS,
    flags: names(
      'a A b e H q t x z 0 1 csv echo-all echo-errors echo-queries expanded field-separator-zero html no-align quiet ' +
        'record-separator-zero single-transaction tuples-only',
    ),
    valued: names('F P R T v field-separator pset record-separator set table-attr variable'),
    words: 0,
  },
  version: {
    ask: ['--version'],
    read: (said) => /^psql \(PostgreSQL\) (\d+(?:\.\d+)*\w*)/.exec(said)?.[1],
    suffices,
    needed: 'psql 14.24, 15.19, 16.15, 17.11 or 18.6, a newer release of these, or 19',
  },
  // Without `-X`, psql would read its start file before the script.
  restricted: (args) => [Buffer.from('-X'), ...args],
  environment: {},
  script: restrict,
}

/** Refuses versions with letters: a beta or a build from source may lack the fix. */
function suffices(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? []
  if (major === undefined || minor === undefined) return false
  return Number(major) >= FIRST_MAJOR || Number(minor) >= (FIRST_MINOR.get(Number(major)) ?? Infinity)
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

// This pattern reads the script as Latin-1, which has one character per byte. A carriage return ends a
// comment of psql, so the pattern allows it only at the end of the line. The tab is the only other control
// character that the pattern allows.
const COMMENT = /^[ \t]*(?:--[\t\x20-\x7e\x80-\xff]*)?\r?\n$/
/**
 * Matches a command that sets a variable or a format and has only plain words. psql expands nothing in such a
 * command.
 */
const SETTING = /^[ \t]*\\(?:getenv|set|pset|timing|x)(?:[ \t]+[A-Za-z0-9_.]+)*[ \t]*\r?\n$/
const GETENV = /^([ \t]*\\getenv[ \t]+[A-Za-z0-9_.]+[ \t]+)([A-Za-z0-9_.]+)([ \t]*\r?\n)$/

/**
 * Inserts `\restrict` before the first line that is neither a comment nor a setting. After `\restrict`, psql
 * refuses every backslash command. In the lines before `\restrict`, each `\getenv` gets the new name of the
 * caller's variable.
 */
export function restrict(script: Buffer, key: string, variables: CallersVariables): Buffer {
  const start = script.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
  const settings: string[] = []
  let at = start
  for (;;) {
    const end = script.indexOf(0x0a, at) + 1
    const line = script.toString('latin1', at, end)
    if (end === 0 || !(COMMENT.test(line) || SETTING.test(line))) break
    settings.push(withVariable(line, variables))
    at = end
  }
  const head = Buffer.from(`${settings.join('')}\\restrict ${key}\n`, 'latin1')
  return Buffer.concat([head, script.subarray(at)])
}

function withVariable(line: string, variables: CallersVariables): string {
  return line.replace(
    GETENV,
    (_, before: string, name: string, after: string) => `${before}${variables.hand(name) ?? name}${after}`,
  )
}

/**
 * Allowed options of redis-cli. The list leaves out --eval, --rdb, --functions-rdb, --pipe and --cluster,
 * because they use files or do other work.
 */
const REDIS_OPTIONS: KnownOptions = {
  style: 'words',
  flags: names('2 3 c e raw no-raw csv json quoted-json no-auth-warning tls insecure verbose'),
  valued: names('a d D h i n p r s t u cacert cacertdir cert key pass sni tls-ciphers user'),
  attached: names(''),
  words: 0,
}

/** The arguments of redis-cli are its only escapes, so its scripts need no restriction. */
const redis: DatabaseProgram = {
  name: 'redis-cli',
  options: REDIS_OPTIONS,
  callersOptions: {
    ...REDIS_OPTIONS,
    flags: names('2 3 e raw no-raw csv json quoted-json'),
    valued: names(''),
  },
  version: undefined,
  restricted: (args) => [...args],
  environment: {},
  script: (script) => script,
}

const PROGRAMS: ReadonlyMap<string, DatabaseProgram> = new Map(
  [psql, mariadb, mysql, redis].map((client) => [client.name, client]),
)

/**
 * Programs that no arguments can restrict, with the reason. The authorizer of sqlite3's `-safe` does not
 * check virtual tables. The virtual table `sqlite_dbdata` (3.40, for `.recover`) runs SQL that a script can
 * assemble from pieces. Such SQL can read any file by `fsdir`, even with `.dbconfig defensive on`. A list of
 * forbidden words does not find SQL that is assembled from pieces.
 */
const UNRESTRICTABLE: ReadonlyMap<string, string> = new Map([
  ['sqlite3', 'sqlite3 cannot block escapes, because SQL can read any file even in safe mode'],
])

/**
 * Finds a program by the last part of its path. Does not find a program that a shell or `env` would start.
 */
export function databaseProgram(program: string): DatabaseProgram | undefined {
  return PROGRAMS.get(baseName(program))
}

/** Returns why the program cannot be restricted, as a text for users. */
export function whyUnrestrictable(program: string): string | undefined {
  return UNRESTRICTABLE.get(baseName(program))
}

function baseName(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1)
}
