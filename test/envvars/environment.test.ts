import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Entry, type EntryKind } from '../../src/envvars/entry.ts'
import { Environment } from '../../src/envvars/environment.ts'
import { EnvvarError, RuntimeFolderError } from '../../src/envvars/errors.ts'
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
    expect(error).toBeInstanceOf(RuntimeFolderError)
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
