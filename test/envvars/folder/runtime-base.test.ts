import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SetUpError } from '../../../src/basics/set-up-error.ts'
import {
  chooseRuntimeBase,
  ensureUserFolder,
  findUserFolder,
} from '../../../src/envvars/folder/runtime-base.ts'

const uid = process.geteuid?.() ?? 0
let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'runtime-base-test-'))
})
afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

describe('chooseRuntimeBase', () => {
  test('takes the setting first and makes it when it is missing', async () => {
    const preferred = join(root, 'deep', 'run')
    expect(await chooseRuntimeBase({ preferred, env: { RUNTIME_DIRECTORY: '/nowhere' } })).toBe(preferred)
    expect((await stat(preferred)).mode & 0o777).toBe(0o700)
  })

  test("takes the first of systemd's folders next", async () => {
    const [one, two] = [join(root, 'one'), join(root, 'two')]
    expect(await chooseRuntimeBase({ env: { RUNTIME_DIRECTORY: `${one}:${two}` } })).toBe(one)
    expect(existsSync(two)).toBe(false)
  })

  test.each(['', undefined])(
    'does not count RUNTIME_DIRECTORY=%j and goes on to shared memory',
    async (value) => {
      const base = await chooseRuntimeBase({ preferred: '', env: { RUNTIME_DIRECTORY: value } })
      expect(base).toBe(existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
    },
  )

  test('takes the temporary folder when shared memory is missing or not a tmpfs', async () => {
    expect(await chooseRuntimeBase({ env: {}, sharedMemory: join(root, 'missing') })).toBe(tmpdir())
    expect(await chooseRuntimeBase({ env: {}, sharedMemory: '/proc' })).toBe(tmpdir())
  })

  test.each([
    ['runtime-dir', (path: string) => ({ preferred: path, env: {} })],
    ['RUNTIME_DIRECTORY', (path: string) => ({ env: { RUNTIME_DIRECTORY: path } })],
  ])('refuses a %s that cannot be used instead of falling back', async (setting, request) => {
    const file = join(root, 'file')
    await writeFile(file, '')
    await expect(chooseRuntimeBase(request(file))).rejects.toThrow(
      `${setting} ${file} cannot be used: EEXIST`,
    )
    await expect(chooseRuntimeBase(request('run/agent'))).rejects.toThrow(
      `${setting} must be an absolute path, but is run/agent`,
    )
  })
})

describe('ensureUserFolder', () => {
  const path = () => join(root, `runbook-agent-${uid}`)

  test('makes a folder only this user can enter, and takes it again', async () => {
    expect(await ensureUserFolder(root)).toEqual({ path: path() })
    expect((await lstat(path())).mode & 0o777).toBe(0o700)
    expect(await ensureUserFolder(root)).toEqual({ path: path() })
  })

  test('accepts one that others can read but not write', async () => {
    await mkdir(path(), { mode: 0o755 })
    expect(await ensureUserFolder(root)).toEqual({ path: path() })
  })

  /** What is there is left alone, another folder is made, and the next agent takes the same one. */
  async function passesOver(what: string): Promise<void> {
    const before = await lstat(path())
    expect(findUserFolder(root)).toEqual({ refused: `${path()} ${what}` })
    const first = await ensureUserFolder(root)
    expect(first).toEqual({
      path: expect.stringMatching(`^${path()}-[A-Za-z0-9]{6}$`) as string,
      refused: `${path()} ${what}`,
    })
    expect((await lstat(first.path)).mode & 0o777).toBe(0o700)
    expect(await ensureUserFolder(root)).toEqual(first)
    expect(findUserFolder(root)).toEqual(first)
    expect((await lstat(path())).ino).toBe(before.ino)
  }

  test.each([0o777, 0o770, 0o702])('passes over one with the mode %o', async (mode) => {
    await mkdir(path())
    await chmod(path(), mode)
    await passesOver('can be written to by other users')
  })

  test('passes over a symbolic link, even to a good folder', async () => {
    await mkdir(join(root, 'elsewhere'), { mode: 0o700 })
    await symlink(join(root, 'elsewhere'), path())
    await passesOver('is a symbolic link')
    expect(await readdir(join(root, 'elsewhere'))).toEqual([])
  })

  test('passes over a file', async () => {
    await writeFile(path(), '')
    await passesOver('is not a folder')
  })

  test.skipIf(uid !== 0)(
    "passes over another user's folders, whatever their names (needs root)",
    async () => {
      for (const name of [path(), `${path()}-abcdef`]) {
        await mkdir(name, { mode: 0o700 })
        await chown(name, 12345, 12345)
      }
      await passesOver(`belongs to uid 12345, not ${uid}`)
    },
  )

  test('says that the folder cannot be made', async () => {
    const error: unknown = await ensureUserFolder(join(root, 'missing')).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SetUpError)
    expect(String(error)).toContain('cannot make')
    expect(String(error)).toContain('ENOENT')
  })
})
