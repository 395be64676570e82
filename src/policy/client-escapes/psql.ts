import type { DatabaseClient, CallersVariables } from './client.ts'
import { names, type KnownOptions } from './known-options.ts'

/**
 * `\restrict` existed earlier (CVE-2025-8714). But before these releases psql expanded the argument of `\unrestrict`,
 * and a command in back-quotes ran. For 13 there is no fix.
 */
const FIRST_MINOR: ReadonlyMap<number, number> = new Map([
  [14, 24],
  [15, 19],
  [16, 15],
  [17, 11],
  [18, 6],
])
/** From this major version on every release has the fix. */
const FIRST_MAJOR = 19

/** Left out on purpose: -c, -f (psql would not read the script), -o, -L (commands and files), -l, -s. */
const OPTIONS: KnownOptions = {
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

export const psql: DatabaseClient = {
  name: 'psql',
  options: OPTIONS,
  callersOptions: {
    ...OPTIONS,
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
    needed: '14.24, 15.19, 16.15, 17.11, 18.6 or a newer one of these, or 19',
  },
  // `-X`: psql's start file would be read before the script.
  closed: (args) => [Buffer.from('-X'), ...args],
  environment: {},
  script: restrict,
}

/** A beta or a build from source has letters in its version, and nobody knows what it contains. */
function suffices(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? []
  if (major === undefined || minor === undefined) return false
  return Number(major) >= FIRST_MAJOR || Number(minor) >= (FIRST_MINOR.get(Number(major)) ?? Infinity)
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

// Latin-1: one character per byte. For psql a carriage return ends a comment, so it is allowed only at the end of a
// line. The only other control character allowed is a tab.
const COMMENT = /^[ \t]*(?:--[\t\x20-\x7e\x80-\xff]*)?\r?\n$/
/** Commands with plain words that set a variable, or how results look. psql expands nothing in them. */
const SETTING = /^[ \t]*\\(?:getenv|set|pset|timing|x)(?:[ \t]+[A-Za-z0-9_.]+)*[ \t]*\r?\n$/
const GETENV = /^([ \t]*\\getenv[ \t]+[A-Za-z0-9_.]+[ \t]+)([A-Za-z0-9_.]+)([ \t]*\r?\n)$/

/**
 * The script with `\restrict` before the first line that does more than set something: from there on psql refuses every
 * backslash command. Lines before it stay the same, except that `\getenv` gets the new name of a caller's variable.
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
