import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

// Tests run on machines where people work: what they touch is theirs alone. Most of it holds by construction (see
// CONTRIBUTING.md); here stands what a line of a new test could undo.

const root = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['test', 'bench', 'scripts', '.ci']
const THIS = 'test/deploy/footprint.test.ts'

it.each([
  [
    'databases, users and roles are made, changed and dropped in two places alone',
    /\b(create|alter|drop) +(database|user|role)\b|\b(createdb|dropdb|createuser|dropuser)\b/i,
    [
      'test/support/machine/databases.ts',
      'test/support/machine/databases.test.ts',
      // The bench has a database and a role of its own, under a random name.
      'bench/native.mjs',
      // They have servers of their own, in a folder of the test (own-databases.ts).
      'test/e2e/native/kills.test.ts',
      'test/soak/native-noise.soak.ts',
      // It presses a button of the page.
      'test/e2e/page/people.test.ts',
      // No server gets these texts.
      'test/wire/hidden-passwords.test.ts',
      // Its user may make no role, and the test says so.
      'test/e2e/native/postgres.test.ts',
    ],
  ],
  [
    'nobody else logs in to a server as its superuser',
    /-U['",\s]+postgres\b|-u['",\s]*root\b/,
    // own-databases.ts logs in to a server that it started in its own folder.
    ['test/support/machine/databases.ts', 'test/support/machine/own-databases.ts', 'bench/native.mjs'],
  ],
  ['processes are ended by their number, never by a name', /\b(pkill|killall|skill|fuser)\b/, []],
  ["nobody's Redis is emptied, no table of jobs changed", /\b(flushall|flushdb|crontab)\b/i, []],
  [
    'the built program is started in a workplace, where it has folders of its own',
    // Who needs its path takes it from test/support/sites/program.ts, which says so.
    /dist\/main\.js', import\.meta/,
    ['test/support/sites/program.ts', 'bench/program.mjs'],
  ],
  ['no configuration of git but of a repository of its own', /git config --(global|system)/, []],
])('%s', (_, pattern, allowed) => {
  const found = sources(FOLDERS).filter((file) => pattern.test(textOf(file)))
  expect(found.filter((file) => !allowed.includes(file))).toEqual([])
})

it('no child gets a signal but through signalChild: of one that did not start, our own group would get it', () => {
  const found = sources(['src', 'test']).filter((file) =>
    /(child|#process|dead|parent|git)\??\.kill\(/.test(textOf(file)),
  )
  // A script of Node's, which loads no TypeScript, looks at the number itself.
  expect(found).toEqual(['src/basics/signals.ts', 'test/mutation/scratch.mjs'])
})

function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

/** What can be run, by its path in the repository. */
function sources(folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(ts|mjs|sh)$|^[a-z]+$/.test(entry.name))
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))),
    )
    .filter((file) => file !== THIS)
}
