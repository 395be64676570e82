import { signalChild } from '../../../src/basics/signals.ts'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimOwnership } from '../../../src/envvars/folder/owner.ts'
import { abandonedInstances, sweepInstances } from '../../../src/envvars/folder/runtime-folder.ts'

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
      `cannot remove what an earlier agent left in ${join(userFolder, broken)}: EISDIR`,
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
