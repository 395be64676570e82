import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SetUpError } from '../../../src/basics/set-up-error.ts'
import { signalChild } from '../../../src/basics/signals.ts'
import { Entry } from '../../../src/envvars/entry.ts'
import { claimOwnership, isAbandoned } from '../../../src/envvars/folder/owner.ts'
import {
  abandonedInstances,
  RuntimeFolder,
  sweepInstances,
} from '../../../src/envvars/folder/runtime-folder.ts'

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
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(SetUpError)
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
  expect(error).toBeInstanceOf(SetUpError)
  expect(String(error)).toContain(`runtime-dir ${base} cannot be used: EEXIST; make it a folder`)
})

const HAS_PROC = existsSync('/proc/self/stat')
const OWN = randomUUID()
let userFolder: string

beforeEach(async () => {
  userFolder = await mkdtemp(join(tmpdir(), 'sweep-test-'))
})
afterEach(async () => {
  await rm(userFolder, { recursive: true, force: true })
})

/** An instance with two sessions; `owner` are the lines of its owner file, this process' by default. */
async function instance(name: string, owner?: (lines: string[]) => string[]): Promise<string> {
  const path = join(userFolder, name)
  await mkdir(join(path, 's-one-1-x'), { recursive: true })
  await mkdir(join(path, 's-two-1-x'))
  await writeFile(join(path, 's-one-1-x', 'a.envfs'), 'hunter2')
  await claimOwnership(path)
  const lines = (await readFile(join(path, 'owner'), 'utf8')).split('\n')
  if (owner) await writeFile(join(path, 'owner'), owner(lines).join('\n'))
  return path
}

async function age(path: string, hours: number): Promise<void> {
  const then = new Date(Date.now() - hours * 3_600_000)
  await utimes(path, then, then)
}

const sweep = () => sweepInstances(userFolder, OWN)

async function endedProcess(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid ?? 0
}

describe('sweepInstances', () => {
  test('removes what an agent left that was killed, and counts its sessions', async () => {
    const dead = await endedProcess()
    await instance(randomUUID(), ([, start = '', place = '']) => [String(dead), start, place])
    expect(await sweep()).toEqual({ sessions: 2, errors: [] })
    expect(await readdir(userFolder)).toEqual([])
  })

  test.skipIf(!HAS_PROC)('removes it when another process has the pid now', async () => {
    await instance(randomUUID(), ([pid = '', , place = '']) => [pid, '1', place])
    expect(await sweep()).toEqual({ sessions: 2, errors: [] })
  })

  test('spares a living agent, however old its files are', async () => {
    const path = await instance(randomUUID())
    await age(join(path, 'owner'), 1000)
    await age(path, 1000)
    expect(await sweep()).toEqual({ sessions: 0, errors: [] })
    expect(readFileSync(join(path, 's-one-1-x', 'a.envfs'), 'utf8')).toBe('hunter2')
  })

  test("spares the caller's own", async () => {
    await instance(OWN, () => ['1', '1', ''])
    await age(join(userFolder, OWN, 'owner'), 1000)
    expect(await sweep()).toEqual({ sessions: 0, errors: [] })
    expect(await readdir(userFolder)).toEqual([OWN])
  })

  test('tells by its pid alone where there are no start times', async () => {
    const dead = await endedProcess()
    const living = randomUUID()
    await instance(living, ([pid = '', , place = '']) => [pid, '', place])
    await instance(randomUUID(), ([, , place = '']) => [String(dead), '', place])
    expect(await sweep()).toEqual({ sessions: 2, errors: [] })
    expect(await readdir(userFolder)).toEqual([living])
  })

  test.skipIf(!HAS_PROC)('takes a process that has ended but was not reaped for dead', async () => {
    // The shell leaves its child to a program that never waits for it. One that ended before, the shell would collect.
    const script = '(until grep -qx sleep /proc/$$/comm; do :; done) & echo $!; exec sleep 600'
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = line.toString().trim()
      const fields = () =>
        readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')
      await expect.poll(() => fields()[0], { timeout: 20_000 }).toBe('Z')
      await instance(randomUUID(), ([, , place = '']) => [pid, fields()[19] ?? '', place])
      expect(await sweep()).toEqual({ sessions: 2, errors: [] })
    } finally {
      signalChild(parent, 'SIGKILL')
      await once(parent, 'exit')
    }
  })

  test('of an agent in another container it takes an hour of silence', async () => {
    const [silent, heard] = [randomUUID(), randomUUID()]
    for (const name of [silent, heard]) {
      await instance(name, ([pid = '']) => [pid, '1', 'another-boot pid:[1]'])
    }
    await age(join(userFolder, silent, 'owner'), 1.1)
    await age(join(userFolder, heard, 'owner'), 0.9)
    expect(await sweep()).toEqual({ sessions: 2, errors: [] })
    expect(await readdir(userFolder)).toEqual([heard])
  })

  test('removes at once what an agent left that was killed while it made its folder', async () => {
    const dead = await endedProcess()
    const living = `.new-${randomUUID()}`
    await instance(`.new-${randomUUID()}`, ([, start = '', place = '']) => [String(dead), start, place])
    await instance(living)
    await age(join(userFolder, living), 1000)
    expect(await sweep()).toEqual({ sessions: 2, errors: [] })
    expect(await readdir(userFolder)).toEqual([living])
  })

  test.each(['.new', '.old'])(
    'removes a folder %s-* only after an hour, another agent may be at it',
    async (prefix) => {
      const [old, young] = [`${prefix}-${randomUUID()}`, `${prefix}-${randomUUID()}`]
      for (const name of [old, young]) await mkdir(join(userFolder, name, 's-x'), { recursive: true })
      await age(join(userFolder, old), 1.1)
      expect(await sweep()).toEqual({ sessions: 1, errors: [] })
      expect(await readdir(userFolder)).toEqual([young])
    },
  )

  test.each(['', 'not a pid\n\n\n', '-1\n\n\n'])(
    'removes one with the owner file %j after an hour',
    async (text) => {
      const [old, young] = [randomUUID(), randomUUID()]
      for (const name of [old, young]) {
        await mkdir(join(userFolder, name))
        if (text !== '') await writeFile(join(userFolder, name, 'owner'), text)
      }
      await age(join(userFolder, old), 1.1)
      expect(await sweep()).toEqual({ sessions: 0, errors: [] })
      expect(await readdir(userFolder)).toEqual([young])
    },
  )

  test('touches nothing that an agent does not make', async () => {
    await mkdir(join(userFolder, 'my-folder'))
    await mkdir(join(userFolder, `x${randomUUID()}`))
    await writeFile(join(userFolder, randomUUID()), 'a file')
    for (const name of await readdir(userFolder)) await age(join(userFolder, name), 1000)
    expect(await sweep()).toEqual({ sessions: 0, errors: [] })
    expect(await readdir(userFolder)).toHaveLength(3)
  })

  test('follows no link, neither in place of an instance nor inside of one', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'sweep-test-outside-'))
    try {
      await writeFile(join(outside, 'precious'), 'x')
      await writeFile(join(outside, 'owner'), '1\n1\n')
      await symlink(outside, join(userFolder, randomUUID()))
      const dead = await instance(randomUUID(), () => ['1', '1', ''])
      await age(join(dead, 'owner'), 1.1)
      await symlink(outside, join(dead, 's-link'))
      await symlink(join(outside, 'precious'), join(dead, 's-one-1-x', 'link'))
      await sweep()
      expect(existsSync(dead)).toBe(false)
      expect(await readdir(outside)).toEqual(['owner', 'precious'])
      expect(await readdir(userFolder)).toHaveLength(1)
    } finally {
      await rm(outside, { recursive: true })
    }
  })

  test('reports what it cannot read and goes on', async () => {
    const broken = randomUUID()
    await mkdir(join(userFolder, broken, 'owner'), { recursive: true })
    const dead = await endedProcess()
    await instance(randomUUID(), ([, start = '', place = '']) => [String(dead), start, place])
    const { sessions, errors } = await sweep()
    expect(sessions).toBe(2)
    expect(errors.map(({ message }) => message)).toEqual([
      `cannot remove the files of an earlier agent in ${join(userFolder, broken)}: EISDIR`,
    ])
  })

  test('reports a folder that is gone', async () => {
    await rm(userFolder, { recursive: true })
    expect((await sweep()).errors.map(String)).toEqual([expect.stringContaining('ENOENT')])
  })

  test('of many agents that sweep at once each session is counted by one', async () => {
    const dead = await endedProcess()
    const abandon = () => instance(randomUUID(), ([, start = '', place = '']) => [String(dead), start, place])
    // Old already, so that one that is being removed looks left over to the others.
    for (const path of await Promise.all(Array.from({ length: 20 }, abandon))) await age(path, 2)
    const results = await Promise.all(Array.from({ length: 8 }, sweep))
    expect(results.flatMap(({ errors }) => errors)).toEqual([])
    expect(results.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(40)
    expect(await readdir(userFolder)).toEqual([])
  })
})

describe('abandonedInstances', () => {
  const abandoned = () => abandonedInstances(userFolder, OWN)

  test('names those whose agent has ended, and removes nothing', async () => {
    const [ended, other] = [randomUUID(), randomUUID()]
    const dead = await endedProcess()
    await instance(ended, ([, start = '', place = '']) => [String(dead), start, place])
    await instance(other, ([pid = '', , place = '']) => [pid, '1', place])
    await instance(randomUUID())
    expect(new Set(await abandoned())).toEqual(new Set([ended, other]))
    expect(await readdir(userFolder)).toHaveLength(3)
  })

  test('is silent about an agent of another boot or container, however long that is', async () => {
    const elsewhere = await instance(randomUUID(), ([pid = '']) => [pid, '1', 'another-boot pid:[1]'])
    const ownerless = await instance(randomUUID())
    await rm(join(ownerless, 'owner'))
    await age(join(elsewhere, 'owner'), 1000)
    await age(ownerless, 1000)
    expect(await abandoned()).toEqual([])
  })

  test("leaves out the caller's own, what is being made or removed, links, and what it cannot read", async () => {
    const gone: (lines: string[]) => string[] = ([pid = '', , place = '']) => [pid, '1', place]
    await instance(OWN, gone)
    await instance(`.new-${randomUUID()}`, gone)
    const retired = await instance(`.old-${randomUUID()}`, gone)
    await symlink(retired, join(userFolder, randomUUID()))
    await mkdir(join(userFolder, randomUUID(), 'owner'), { recursive: true })
    expect(await abandoned()).toEqual([])
  })

  test('has nothing to say about a folder that is gone', async () => {
    await rm(userFolder, { recursive: true })
    expect(await abandoned()).toEqual([])
  })
})
