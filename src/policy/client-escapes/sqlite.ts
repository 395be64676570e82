import type { DatabaseClient } from './client.ts'
import { names, type KnownOptions } from './known-options.ts'

/** Left out on purpose: -cmd, -init, -A (commands), -nonce (leaves safe mode), -interactive, -append, -zip, -vfs. */
const OPTIONS: KnownOptions = {
  style: 'words',
  flags: names(
    'ascii bail batch box column csv echo header noheader html json line list markdown nofollow quote readonly safe ' +
      'stats table tabs',
  ),
  valued: names('newline nullvalue separator'),
  attached: names(''),
  words: 1,
}

/** Its own commands that only show or format. `.trace` and `.testcase` write files even in safe mode. */
const COMMANDS = names(
  'bail changes databases dump echo exit explain header headers help indexes indices mode nullvalue print quit schema ' +
    'separator show tables timeout timer width',
)

export const sqlite: DatabaseClient = {
  name: 'sqlite3',
  options: OPTIONS,
  callersOptions: {
    ...OPTIONS,
    flags: names('ascii bail box column csv header noheader html json line list markdown quote table tabs'),
    words: 0,
  },
  version: {
    ask: ['-version'],
    read: (said) => /^(\d+\.\d+\.\d+) /.exec(said)?.[1],
    // CVE-2022-46908: before 3.40.1, writefile() and the like worked in safe mode.
    suffices: (version) => atLeast(version, [3, 40, 1]),
    needed: '3.40.1 or newer',
  },
  // `-init` names an empty start file: the usual one would be read before safe mode begins, whatever the order of
  // arguments.
  closed: (args) => [...['-init', '/dev/null', '-safe'].map((word) => Buffer.from(word)), ...args],
  environment: {},
  script: (script) => script,
  openPart,
}

/** What remains open. Data lines are checked too: what a line is to sqlite3 depends on all before it. */
function openPart(script: Buffer): string | undefined {
  // Latin-1: one character per byte.
  const text = script.toString('latin1')
  // A NUL ends the line for sqlite3.
  if (text.includes('\0')) return 'a NUL byte'
  const commands = text.matchAll(/^(?:\xef\xbb\xbf)?[ \t]*\.(?:([a-z]+)(?=[ \t\r]|$))?/gm)
  for (const [, name = ''] of commands) if (!COMMANDS.has(name)) return `a line that begins with .${name}`
  // These read files and folders even in safe mode.
  return /fsdir|zipfile/i.exec(text)?.[0]
}

function atLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  const at = least.findIndex((part, i) => parts[i] !== part)
  return at < 0 || (parts[at] ?? 0) > (least[at] ?? 0)
}
