import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Entry } from '../../src/envvars/entry.ts'
import { EnvvarError, RuntimeFolderError } from '../../src/envvars/errors.ts'
import { SecretFiles } from '../../src/envvars/secret-files.ts'
import { hasPrlimit, withFileSizeLimit } from '../support/machine/file-size-limit.ts'

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
  expect(error).toBeInstanceOf(RuntimeFolderError)
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
