import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Entry } from '../../../src/envvars/entry.ts'
import { RuntimeFolderError } from '../../../src/envvars/errors.ts'
import { isAbandoned } from '../../../src/envvars/folder/owner.ts'
import { RuntimeFolder } from '../../../src/envvars/folder/runtime-folder.ts'

let base: string
const openFolder = () => RuntimeFolder.open({ preferred: base, env: {} })

/** Needs fake timers. */
async function expectTouch(folder: RuntimeFolder): Promise<void> {
  const owner = join(folder.path, 'owner')
  const long = new Date(Date.now() - 3_600_000)
  await utimes(owner, long, long)
  vi.advanceTimersByTime(10 * 60_000)
  await expect
    .poll(async () => (await stat(owner)).mtimeMs, { timeout: 20_000 })
    .toBeGreaterThan(long.getTime() + 1000)
}

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'runtime-folder-test-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(base, { recursive: true, force: true })
})

test('the folder is 0700, below a folder of the user, and owned by this process', async () => {
  await using folder = await openFolder()
  expect(dirname(folder.path)).toBe(join(base, `runbook-agent-${process.geteuid?.() ?? 0}`))
  expect((await lstat(folder.path)).mode & 0o777).toBe(0o700)
  expect(await isAbandoned(folder.path)).toBe(false)
  expect(await readdir(dirname(folder.path))).toEqual([basename(folder.path)])
})

test('two agents of one user have a folder each', async () => {
  await using one = await openFolder()
  await using two = await openFolder()
  expect(dirname(one.path)).toBe(dirname(two.path))
  expect(one.path).not.toBe(two.path)
})

test('its instance is the name of its folder, and one of its own', async () => {
  await using one = await openFolder()
  await using two = await openFolder()
  expect(one.instance).toBe(basename(one.path))
  expect(one.instance).toMatch(/^[0-9a-f-]{36}$/)
  expect(one.instance).not.toBe(two.instance)
})

test('only an agent that has ended is abandoned, neither this one nor another that lives', async () => {
  await using one = await openFolder()
  await using two = await openFolder()
  expect(await one.abandoned()).toEqual([])
  const owner = join(two.path, 'owner')
  const [pid = '', , place = ''] = (await readFile(owner, 'utf8')).split('\n')
  await writeFile(owner, `${pid}\n1\n${place}\n`)
  expect(await one.abandoned()).toEqual([two.instance])
  expect((await one.sweep()).errors).toEqual([])
  expect(await one.abandoned()).toEqual([])
})

test('closing removes it with the sessions in it, may be repeated, and ends making sessions', async () => {
  const folder = await openFolder()
  const session = await folder.createSession('s1')
  await session.write(new Entry('filesystem', 'A', Buffer.from('x')))
  await folder.close()
  await folder.close()
  expect(await readdir(dirname(folder.path))).toEqual([])
  await session[Symbol.asyncDispose]()
  await expect(folder.createSession('s2')).rejects.toThrow('is closed, the agent is stopping')
})

test('a sweep spares its own folder and that of another living agent', async () => {
  await using one = await openFolder()
  await using two = await openFolder()
  await using session = await one.createSession('s1')
  expect(await two.sweep()).toEqual({ sessions: 0, errors: [] })
  expect(existsSync(session.folder)).toBe(true)
  expect(existsSync(two.path)).toBe(true)
})

test('a living agent touches its owner file', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  await using folder = await openFolder()
  await expectTouch(folder)
})

describe('a folder that somebody removed', () => {
  /** As a cleaner does, `what` it takes with it. */
  const vanish = (folder: RuntimeFolder, what: 'instance' | 'user folder' | 'base') =>
    rm({ instance: folder.path, 'user folder': dirname(folder.path), base }[what], { recursive: true })

  test.each(['instance', 'user folder', 'base'] as const)(
    'with its %s is made again by the next session, under its old name',
    async (what) => {
      await using folder = await openFolder()
      const { path, instance } = folder
      await vanish(folder, what)
      await using session = await folder.createSession('s1')
      expect(
        await readFile(await session.write(new Entry('filesystem', 'A', Buffer.from('x'))), 'utf8'),
      ).toBe('x')
      expect([folder.path, folder.instance]).toEqual([path, instance])
      expect(dirname(session.folder)).toBe(folder.path)
      expect((await lstat(folder.path)).mode & 0o777).toBe(0o700)
      expect((await lstat(dirname(folder.path))).mode & 0o777).toBe(0o700)
      expect(await isAbandoned(folder.path)).toBe(false)
    },
  )

  test('is made once for sessions that find out together', async () => {
    await using folder = await openFolder()
    await vanish(folder, 'user folder')
    const sessions = await Promise.all(Array.from({ length: 20 }, () => folder.createSession('s1')))
    expect(new Set(sessions.map((session) => dirname(session.folder)))).toEqual(new Set([folder.path]))
    expect(await readdir(dirname(folder.path))).toEqual([basename(folder.path)])
  })

  test('can be made again any number of times', async () => {
    await using folder = await openFolder()
    const { instance } = folder
    for (let round = 0; round < 3; round++) {
      await vanish(folder, 'user folder')
      await folder.createSession('s1')
      expect(await readdir(dirname(folder.path))).toEqual([instance])
    }
  })

  test('has its new owner file touched', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    await using folder = await openFolder()
    await vanish(folder, 'instance')
    await folder.createSession('s1')
    await expectTouch(folder)
  })

  test('is spared by its own sweep, and gone after closing', async () => {
    const folder = await openFolder()
    await vanish(folder, 'instance')
    await using session = await folder.createSession('s1')
    expect(await folder.sweep()).toEqual({ sessions: 0, errors: [] })
    expect(existsSync(session.folder)).toBe(true)
    await folder.close()
    expect(await readdir(dirname(folder.path))).toEqual([])
  })

  // Closing begins so many turns of the event loop later: while the old one is missed, the new one is made, used.
  test.each(Array.from({ length: 12 }, (_, turns) => turns))(
    'is not left behind when the agent closes it at the same time, %i turns later',
    async (turns) => {
      const folder = await openFolder()
      await vanish(folder, 'user folder')
      const sessions = Array.from({ length: 5 }, () => folder.createSession('s1'))
      const settled = Promise.allSettled(sessions)
      for (let turn = 0; turn < turns; turn++) await setImmediate()
      await folder.close()
      for (const result of await settled) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(RuntimeFolderError)
      }
      expect(await readdir(base, { recursive: true })).toSatisfy((left: string[]) => left.length <= 1)
    },
  )

  test('is made beside the usual place while that is not safe', async () => {
    await using folder = await openFolder()
    await vanish(folder, 'user folder')
    const usual = dirname(folder.path)
    await mkdir(usual)
    await chmod(usual, 0o777)
    await folder.createSession('s1')
    expect(folder.refused).toBe(`${usual} can be written to by other users`)
    expect(dirname(folder.path)).toMatch(new RegExp(`^${usual}-[A-Za-z0-9]{6}$`))
    expect(await readdir(usual)).toEqual([])
  })
})

test('a folder that cannot be made is an error that says what to do', async () => {
  const userFolder = join(base, `runbook-agent-${process.geteuid?.() ?? 0}`)
  await mkdir(userFolder, { mode: 0o700 })
  await rm(base, { recursive: true })
  await writeFile(base, '')
  const error: unknown = await openFolder().catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(RuntimeFolderError)
  expect(String(error)).toContain(`runtime-dir ${base} cannot be used: EEXIST; make it a folder`)
})
