import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SetUpError } from '../../src/basics/set-up-error.ts'
import { Entry } from '../../src/envvars/entry.ts'
import { EnvvarError } from '../../src/envvars/errors.ts'
import { removeTree, SecretFiles } from '../../src/envvars/secret-files.ts'
import { hasPrlimit, withFileSizeLimit } from '../support/machine/file-size-limit.ts'
import { HAS_UNPRIVILEGED, Unprivileged } from './unprivileged.ts'

const SID = 'b61d1f9b-fae2-4b1c-bcee-d13acd9ccda9'
const modeOf = async (path: string) => (await lstat(path)).mode & 0o7777
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

let instance: string

beforeEach(async () => {
  instance = await mkdtemp(join(tmpdir(), 'secret-files-test-'))
})
afterEach(async () => {
  await rm(instance, { recursive: true, force: true })
})

test('the folder is 0700, below the given one and shows the session id', async () => {
  await using files = await SecretFiles.create(instance, SID)
  expect(dirname(files.folder)).toBe(instance)
  expect(basename(files.folder).startsWith(`s-${SID}-`)).toBe(true)
  expect(await modeOf(files.folder)).toBe(0o700)
})

test.each(['../../etc', 'a/b', '', '..', 'x'.repeat(5000), 'é\0'])(
  'a session id such as %j cannot lead out of the folder',
  async (sessionId) => {
    await using files = await SecretFiles.create(instance, sessionId)
    expect(dirname(files.folder)).toBe(instance)
    expect(await readdir(instance)).toEqual([basename(files.folder)])
  },
)

test('two sessions of the same id get two folders', async () => {
  await using one = await SecretFiles.create(instance, SID)
  await using two = await SecretFiles.create(instance, SID)
  expect(one.folder).not.toBe(two.folder)
})

test('a file is 0600, holds exactly the value and does not have the name of the variable', async () => {
  await using files = await SecretFiles.create(instance, SID)
  const value = Buffer.from([0, 255, 10, ...Buffer.from('hunter2')])
  const path = await files.write(new Entry('filesystem', 'PRIVATE_KEY', value))
  expect(await readFile(path)).toEqual(value)
  expect(await modeOf(path)).toBe(0o600)
  expect(basename(path)).toMatch(/^[0-9a-f-]{36}\.envfs$/)
})

test('an empty value makes an empty file', async () => {
  await using files = await SecretFiles.create(instance, SID)
  expect(await readFile(await files.write(new Entry('filesystem', 'A', Buffer.alloc(0))))).toHaveLength(0)
})

test('disposing removes everything and may be repeated', async () => {
  const files = await SecretFiles.create(instance, SID)
  await files.write(new Entry('filesystem', 'A', Buffer.from('x')))
  await writeFile(join(files.folder, 'left-by-the-program'), '')
  await Promise.all([files[Symbol.asyncDispose](), files[Symbol.asyncDispose]()])
  await files[Symbol.asyncDispose]()
  expect(await readdir(instance)).toEqual([])
})

test('a folder that cannot be removed is named, and tried again on the next call', async () => {
  const files = await SecretFiles.create(instance, SID)
  await rm(instance, { recursive: true })
  await writeFile(instance, 'a file where the folder was')
  const error = await failureOf(files[Symbol.asyncDispose]())
  expect(error).toBeInstanceOf(SetUpError)
  expect(String(error)).toContain(
    `cannot remove the secret files in ${files.folder}, remove it by hand: ENOTDIR`,
  )
  await rm(instance)
  await files[Symbol.asyncDispose]()
})

test('a folder that cannot be made is an error with the errno', async () => {
  await expect(SecretFiles.create(join(instance, 'missing'), SID)).rejects.toThrow(
    /^cannot make a folder for a session's secret files in .*missing: ENOENT$/,
  )
})

test('a file that cannot be made is an error with key and errno', async () => {
  const files = await SecretFiles.create(instance, SID)
  await files[Symbol.asyncDispose]()
  const error = await failureOf(files.write(new Entry('filesystem', 'A', Buffer.from('hunter2'))))
  expect(error).toBeInstanceOf(EnvvarError)
  expect(String(error)).toContain(`failed writing the file of filesystem:A in ${files.folder}: ENOENT`)
})

// A limit on the size of files makes the kernel write a part of the value and then fail, as a full disk does.
test.skipIf(!hasPrlimit)('a value that fits only in part is an error that does not show it', async () => {
  await using files = await SecretFiles.create(instance, SID)
  const big = new Entry('filesystem', 'BIG', Buffer.alloc(10_000, 'hunter2'))
  const error = await withFileSizeLimit(4096, () => failureOf(files.write(big)))
  expect(String(error)).toContain('failed writing the file of filesystem:BIG')
  expect(String(error)).toContain('EFBIG')
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
})

describe('removeTree', () => {
  let base: string

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'remove-tree-test-'))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  test('removes folders in folders, and what is gone already is no error', async () => {
    mkdirSync(join(base, 'a/b/c'), { recursive: true })
    writeFileSync(join(base, 'a/b/file'), '')
    await Promise.all([removeTree(join(base, 'a')), removeTree(join(base, 'a'))])
    await removeTree(join(base, 'a'))
    expect(readdirSync(base)).toEqual([])
  })

  test('fails with the error of the system', async () => {
    writeFileSync(join(base, 'file'), '')
    await expect(removeTree(join(base, 'file', 'a'))).rejects.toThrow('ENOTDIR')
  })
})

/** What scripts of the tests below have at hand; `leave` makes folders of these modes with a file in each. */
const PREAMBLE = `
  import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
  import { dirname, join } from 'node:path'
  import { RuntimeFolder } from './folder/runtime-folder.js'
  import { SecretFiles } from './secret-files.js'
  const leave = (path, ...modes) => {
    if (modes.length === 0) return
    const folder = join(path, 'left')
    mkdirSync(folder)
    writeFileSync(join(folder, 'file'), '')
    leave(folder, ...modes.slice(1))
    chmodSync(folder, modes[0])
  }
  const outcome = (promise) => promise.then(() => 'removed', String)
`

describe.skipIf(!HAS_UNPRIVILEGED)('a user whom permissions stop', () => {
  let user: Unprivileged
  const run = (script: string) => user.run(PREAMBLE + script)

  beforeEach(() => {
    user = new Unprivileged()
  })
  afterEach(() => user[Symbol.dispose]())

  test.each([['0o555'], ['0o000'], ['0o555, 0o000, 0o311'], ['0o444, 0o555']])(
    'the secret files go although a script left folders of the modes %s beside them',
    async (modes) => {
      const script = `
        mkdirSync('instance')
        const files = await SecretFiles.create(join(process.cwd(), 'instance'), 'sid')
        leave(files.folder, ${modes})
        report([await outcome(files[Symbol.asyncDispose]()), readdirSync('instance')])`
      expect(await run(script)).toEqual(['removed', []])
    },
  )

  test('the secret files go although a script closed their folder itself', async () => {
    const script = `
      const files = await SecretFiles.create(process.cwd(), 'sid')
      writeFileSync(join(files.folder, 'secret'), '')
      chmodSync(files.folder, 0o000)
      report([await outcome(files[Symbol.asyncDispose]()), existsSync(files.folder)])`
    expect(await run(script)).toEqual(['removed', false])
  })

  test('what a link of the script points to keeps its files and its mode', async () => {
    const script = `
      leave(process.cwd(), 0o555)
      mkdirSync('instance')
      const files = await SecretFiles.create(join(process.cwd(), 'instance'), 'sid')
      leave(files.folder, 0o755)
      symlinkSync(join(process.cwd(), 'left'), join(files.folder, 'left', 'link'))
      symlinkSync(join(process.cwd(), 'left', 'file'), join(files.folder, 'left', 'link-to-file'))
      chmodSync(join(files.folder, 'left'), 0o555)
      report([
        await outcome(files[Symbol.asyncDispose]()),
        existsSync(files.folder),
        (lstatSync('left').mode & 0o777).toString(8),
        readdirSync('left'),
      ])
      chmodSync('left', 0o755)`
    expect(await run(script)).toEqual(['removed', false, '555', ['file']])
  })

  test('what cannot be removed even so is named, and tried again on the next call', async () => {
    const script = `
      mkdirSync('instance')
      const files = await SecretFiles.create(join(process.cwd(), 'instance'), 'sid')
      chmodSync('instance', 0o555)
      const first = await outcome(files[Symbol.asyncDispose]())
      chmodSync('instance', 0o755)
      report([first.replace(files.folder, 'FOLDER'), await outcome(files[Symbol.asyncDispose]())])`
    const refusal = 'SetUpError: cannot remove the secret files in FOLDER, remove it by hand: EACCES'
    expect(await run(script)).toEqual([refusal, 'removed'])
  })

  test.skipIf(process.geteuid?.() !== 0)('folders of other users are left as they are', async () => {
    const foreign = join(user.folder, 'tree', 'foreign')
    await run(`report(mkdirSync('tree', { recursive: true }))`)
    mkdirSync(join(foreign, 'inside'), { recursive: true })
    chmodSync(foreign, 0o555)
    const script = `
      const { removeTree } = await import('./secret-files.js')
      report(await outcome(removeTree(join(process.cwd(), 'tree'))))`
    expect(await run(script)).toContain('EACCES')
    expect(lstatSync(foreign).mode & 0o777).toBe(0o555)
    expect(readdirSync(foreign)).toEqual(['inside'])
  })

  test("closing the agent's folder and sweeping a dead agent's remove such folders too", async () => {
    const script = `
      const open = () => RuntimeFolder.open({ preferred: process.cwd(), env: {} })
      const [dead, living] = [await open(), await open()]
      for (const folder of [dead, living]) leave((await folder.createSession('sid')).folder, 0o555)
      // The first line of the owner file is a pid that is never given out.
      writeFileSync(join(dead.path, 'owner'), '4194305' + readFileSync(join(dead.path, 'owner'), 'utf8').replace(/^[0-9]+/, ''))
      const swept = await living.sweep()
      report([swept, await outcome(living.close()), readdirSync(dirname(living.path))])`
    expect(await run(script)).toEqual([{ sessions: 1, errors: [] }, 'removed', []])
  })
})
