import { lstat, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Entry } from '../../src/envvars/entry.ts'
import { RuntimeFolderError } from '../../src/envvars/errors.ts'
import { isAbandoned } from '../../src/envvars/owner.ts'
import { RuntimeFolder } from '../../src/envvars/runtime-folder.ts'

let base: string
const openFolder = () => RuntimeFolder.open({ preferred: base, env: {} })

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
  const owner = join(folder.path, 'owner')
  const long = new Date(Date.now() - 3_600_000)
  await utimes(owner, long, long)
  vi.advanceTimersByTime(10 * 60_000)
  await expect
    .poll(async () => (await stat(owner)).mtimeMs, { timeout: 20_000 })
    .toBeGreaterThan(long.getTime() + 1000)
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
