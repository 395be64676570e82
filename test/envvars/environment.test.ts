import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SetUpError } from '../../src/basics/set-up-error.ts'
import { Entry, type EntryKind } from '../../src/envvars/entry.ts'
import { Environment, expandArguments } from '../../src/envvars/environment.ts'
import { EnvvarError } from '../../src/envvars/errors.ts'
import { RuntimeFolder } from '../../src/envvars/folder/runtime-folder.ts'
import { hasPrlimit, withFileSizeLimit } from '../support/machine/file-size-limit.ts'

let base: string
let folder: RuntimeFolder

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'environment-test-'))
  folder = await RuntimeFolder.open({ preferred: base, env: {} })
})
afterEach(async () => {
  await folder.close().catch(() => undefined)
  await rm(base, { recursive: true, force: true })
})

const INHERITED = { PATH: '/bin', HOME: '/root', TZ: 'UTC' }
type Triple = readonly [kind: EntryKind, name: string, value: string | Buffer]

const create = (triples: readonly Triple[], inherited: Readonly<Record<string, string>> = INHERITED) =>
  Environment.create({
    entries: triples.map(([kind, name, value]) => new Entry(kind, name, Buffer.from(value))),
    inherited: new Map(Object.entries(inherited)),
    folder,
    sessionId: 's1',
  })
const sessionFolders = async () => (await readdir(folder.path)).filter((name) => name.startsWith('s-'))
const lines = (environment: Environment) => environment.block.map(String)
/** What a program sees in the variable. */
const valueOf = (environment: Environment, name: string) =>
  lines(environment)
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1) ?? ''
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('the block', () => {
  test('has the session over the agent, sorted, PATH last', async () => {
    await using environment = await create([
      ['envvar', 'ZED', '1'],
      ['envvar', 'TZ', ''],
      ['envvar', 'A', 'x=y z'],
    ])
    expect(lines(environment)).toEqual(['A=x=y z', 'HOME=/root', 'TZ=', 'ZED=1', 'PATH=/bin'])
  })

  test("has the agent's PATH whatever the session says", async () => {
    await using environment = await create([['envvar', 'PATH', '/evil']])
    expect(lines(environment)).toEqual(['HOME=/root', 'TZ=UTC', 'PATH=/bin'])
  })

  test.each([
    ['/srv', 'HOME=/srv'],
    ['', 'HOME=/root'],
  ])('with HOME=%j in the session has %s', async (home, expected) => {
    await using environment = await create([['envvar', 'HOME', home]])
    expect(lines(environment)).toContain(expected)
  })

  test('keeps an empty HOME when the agent has none', async () => {
    await using environment = await create([['envvar', 'HOME', '']], { PATH: '/bin' })
    expect(lines(environment)).toEqual(['HOME=', 'PATH=/bin'])
  })

  test('keeps bytes that are not UTF-8', async () => {
    await using environment = await create([['envvar', 'é', Buffer.from([0xff])]], { PATH: '/bin' })
    expect(environment.block[0]).toEqual(Buffer.from([0xc3, 0xa9, 0x3d, 0xff]))
  })
})

describe('a filesystem entry', () => {
  test('is a file whose path is in the variable, until disposal', async () => {
    const environment = await create([['filesystem', 'CERT', 'hunter2']])
    const path = valueOf(environment, 'CERT')
    expect(await readFile(path, 'utf8')).toBe('hunter2')
    expect((await lstat(path)).mode & 0o777).toBe(0o600)
    expect((await lstat(dirname(path))).mode & 0o777).toBe(0o700)
    await environment[Symbol.asyncDispose]()
    await environment[Symbol.asyncDispose]()
    expect(await sessionFolders()).toEqual([])
  })

  test('makes no folder in a session that has none', async () => {
    await using environment = await create([['envvar', 'A', 'b']])
    expect(await sessionFolders()).toEqual([])
    expect(valueOf(environment, 'A')).toBe('b')
  })

  test('can be used in an argument', async () => {
    await using environment = await create([['filesystem', 'CERT', 'x']])
    expect(environment.expand(['p', '--cert=$CERT']).map(String)).toEqual([
      'p',
      `--cert=${valueOf(environment, 'CERT')}`,
    ])
  })

  test('that cannot have a folder is named in the error', async () => {
    await rm(folder.path, { recursive: true })
    await writeFile(folder.path, '')
    const error = await failureOf(
      create([
        ['filesystem', 'A', 'hunter2'],
        ['filesystem', 'B', 'hunter2'],
      ]),
    )
    expect(error).toBeInstanceOf(EnvvarError)
    expect(String(error)).toContain(`failed storing filesystem:A: cannot make a folder`)
    expect(String(error)).toContain('ENOTDIR')
  })

  // Fails on the second file as a full disk would: a limit on the size of files, only while it is written.
  test.skipIf(!hasPrlimit)('that cannot be written takes those before it away again', async () => {
    const big = Buffer.alloc(5000, 'hunter2')
    const error = await withFileSizeLimit(4096, () =>
      failureOf(
        create([
          ['filesystem', 'SMALL', 'x'],
          ['filesystem', 'BIG', big],
        ]),
      ),
    )
    expect(error).toBeInstanceOf(EnvvarError)
    expect(String(error)).toContain('filesystem:BIG')
    expect(String(error)).toContain('EFBIG')
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain('hunter2')
    expect(await sessionFolders()).toEqual([])
  })

  test('that cannot be removed fails the disposal, naming the folder', async () => {
    const environment = await create([['filesystem', 'A', 'x']])
    const sessionFolder = dirname(valueOf(environment, 'A'))
    await rm(folder.path, { recursive: true })
    await writeFile(folder.path, '')
    const error = await failureOf(environment[Symbol.asyncDispose]())
    expect(error).toBeInstanceOf(SetUpError)
    expect(String(error)).toContain(sessionFolder)
  })
})

describe('expansion', () => {
  test('uses what the command gets, with the values that it gets', async () => {
    await using environment = await create([
      ['envvar', 'A', 'b'],
      ['envvar', 'PATH', '/evil'],
      ['envvar', 'TZ', 'CET'],
      ['envvar', 'HOME', ''],
    ])
    expect(environment.expand(['$A', '$A', '$HOME/x', '$PATH', '$TZ']).map(String)).toEqual([
      '$A',
      'b',
      '/root/x',
      '/bin',
      'CET',
    ])
  })

  test('knows no variable that the command does not get', async () => {
    await using environment = await create([['envvar', 'A', 'b']])
    expect(() => environment.expand(['p', '$HOOP_KEY', '$LANG'])).toThrow(
      'could not find environment variable for commands [$HOOP_KEY,$LANG]',
    )
  })
})

test.each([
  {},
  { showHidden: true, getters: true, depth: Infinity },
  { customInspect: false, showHidden: true },
])('no value shows when an environment is printed with %j', async (options) => {
  await using environment = await create([
    ['envvar', 'TOKEN', 'hunter2'],
    ['filesystem', 'CERT', 'hunter2'],
  ])
  const shown = [
    inspect(environment, options),
    inspect([{ environment }], options),
    JSON.stringify({ environment }),
  ]
  for (const text of [...shown, Object.keys(environment).join()]) {
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('68 75 6e')
    expect(text).not.toContain('104')
  }
})

const VARIABLES: ReadonlyMap<string, Buffer> = new Map(
  Object.entries({
    A: 'alpha',
    B: 'b b',
    EMPTY: '',
    'a b': 'spaced',
    '1': 'one',
    $: 'dollar',
    '*': 'star',
    é: 'accent',
    A_1: 'under',
    '-': 'dash',
    '{': 'brace',
    NEST: '$A ${B}',
    a$b: 'inner',
    ABC: 'abc',
    日本: 'nihon',
  }).map(([name, value]) => [name, Buffer.from(value)]),
)

/** Made with os.Expand of Go 1.26 over VARIABLES; `rejected` by comparing with the expansion where all are empty. */
const GOLDEN: readonly (readonly [argument: string, expanded: string, rejected: boolean])[] = [
  ['', '', false],
  ['plain', 'plain', false],
  ['$', '$', true],
  ['a$', 'a$', true],
  ['$A', 'alpha', false],
  ['${A}', 'alpha', false],
  ['x${A}y', 'xalphay', false],
  ['$Ay', '', true],
  ['$A-y', 'alpha-y', false],
  ['$A.y', 'alpha.y', false],
  ['${}', '', true],
  ['a${}b', 'ab', true],
  ['${', '', true],
  ['${A', 'A', true],
  ['x${A y', 'xA y', true],
  ['$$', 'dollar', false],
  ['$$A', 'dollarA', false],
  ['$$$', 'dollar$', false],
  ['$$$$A', 'dollardollarA', false],
  ['${a b}', 'spaced', false],
  ['$1', 'one', false],
  ['$1x', 'onex', false],
  ['$12', 'one2', false],
  ['${1}', 'one', false],
  ['${12}', '', true],
  ['$-', 'dash', false],
  ['$-x', 'dashx', false],
  ['${-}', 'dash', false],
  ['${*}', 'star', false],
  ['$*', 'star', false],
  ['$#', '', true],
  ['$@', '', true],
  ['$!', '', true],
  ['$?', '', true],
  ['${?}', '', true],
  ['$é', '$é', true],
  ['${é}', 'accent', false],
  ['é$A', 'éalpha', false],
  ['$A日本', 'alpha日本', false],
  ['${日本}', 'nihon', false],
  ['$日本', '$日本', true],
  ['$A$B', 'alphab b', false],
  ['$A$UNSET', 'alpha', false],
  ['$UNSET', '', true],
  ['$EMPTY', '', true],
  ['-d$UNSET', '-d', true],
  ['$UNSET$EMPTY', '', true],
  ['price$5', 'price', true],
  ['$ A', '$ A', true],
  ['$ ', '$ ', true],
  ['$.', '$.', true],
  ['$/x', '$/x', true],
  ['$A_1', 'under', false],
  ['$_', '', true],
  ['$A$', 'alpha$', false],
  ['a$ b', 'a$ b', true],
  ['${A}}', 'alpha}', false],
  ['${A}{B}', 'alpha{B}', false],
  ['${{A}}', '}', true],
  ['${{}', 'brace', false],
  ['$}', '$}', true],
  ['${ }', '', true],
  ['$NEST', '$A ${B}', false],
  ['${a$b}', 'inner', false],
  ['${A}$', 'alpha$', false],
  ['$\n', '$\n', true],
  ['mongodb://$A:$B@h/?x', 'mongodb://alpha:b b@h/?x', false],
  ['${A:-default}', '', true],
  ['\\$A', '\\alpha', false],
  ["'$A'", "'alpha'", false],
  ['$a', '', true],
  ['$(A)', '$(A)', true],
  ['$ABC', 'abc', false],
  ['--port=$A', '--port=alpha', false],
  ['${A}${', 'alpha', false],
  ['${}${A}', 'alpha', false],
]

const lookup = (name: string) => VARIABLES.get(name)
const expandOne = (argument: string) => expandArguments(['program', argument], lookup)[1]?.toString()

describe('expandArguments', () => {
  test.each(GOLDEN.filter(([, , rejected]) => !rejected))(
    'expands %j as Go does to %j',
    (argument, expanded) => {
      expect(expandOne(argument)).toBe(expanded)
    },
  )

  test.each(GOLDEN.filter(([, , rejected]) => rejected))('refuses %j: no variable adds to it', (argument) => {
    const text = `could not find environment variable for commands [${argument}]`
    expect(() => expandOne(argument)).toThrow(new EnvvarError(text))
  })

  test.each([['$UNSET'], ['$EMPTY'], ['-d$DB'], ['a$'], ['price$5']])(
    'refuses %s, as measured on the agent of hoop',
    (argument) => {
      expect(() => expandOne(argument)).toThrow(EnvvarError)
    },
  )

  test('accepts two variables of which only one is set', () => {
    expect(expandOne('$A$UNSET')).toBe('alpha')
  })

  test('names all arguments it cannot expand, and only those', () => {
    expect(() => expandArguments(['psql', '-h$HOST', '$A', '-U$USER', 'plain'], lookup)).toThrow(
      'could not find environment variable for commands [-h$HOST,-U$USER]',
    )
  })

  test('takes the program as it is', () => {
    expect(expandArguments(['$A', '$A'], lookup).map(String)).toEqual(['$A', 'alpha'])
  })

  test('does not expand what a value contains', () => {
    expect(expandOne('<$NEST>')).toBe('<$A ${B}>')
  })

  test('keeps the bytes of a value that is not UTF-8', () => {
    const raw = Buffer.from([0xff, 0xfe, 0x41])
    const argv = expandArguments(['p', 'é=$RAW!'], () => raw)
    expect(argv[1]).toEqual(Buffer.concat([Buffer.from('é='), raw, Buffer.from('!')]))
  })

  test('refuses a NUL in any argument, without showing the argument', () => {
    expect(() => expandArguments(['p', 'ok', 'secret\0'], lookup)).toThrow(
      new EnvvarError('argument 2 of the command contains a NUL byte'),
    )
    expect(() => expandArguments(['p\0'], lookup)).toThrow('argument 0 of the command contains a NUL byte')
    expect(() => expandArguments(['p', '$X'], () => Buffer.from('a\0b'))).toThrow(
      'argument 1 of the command contains a NUL byte',
    )
  })

  test('refuses an empty command line', () => {
    expect(() => expandArguments([], lookup)).toThrow('connection must be at least one argument')
  })

  test('takes linear time for an argument full of open braces', () => {
    const argument = '${'.repeat(500_000)
    expect(() => expandArguments(['p', argument], lookup)).toThrow(EnvvarError)
    expect(expandOne(`${argument}}$A`)).toBe('alpha')
  })
})
