import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mirrorEnvironment } from '../../../src/gateway/runbooks/git/environment.ts'
import { RunbookError } from '../../../src/gateway/refusals/runbook-errors.ts'
import { runGit } from '../../../src/gateway/runbooks/git/git.ts'
import { ObjectReader } from '../../../src/gateway/runbooks/git/objects.ts'
import { Workshop } from './workshop.ts'

// An error that nobody catches, as a child without streams made it, fails the run as a whole.

/** Sets how many descriptors this process may have. */
function limitTo(count: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${count}:`])
}

/** Does the work while this process can open `left` more descriptors and no others. */
async function withDescriptors(left: number, work: () => Promise<void>): Promise<void> {
  const [, before = ''] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  limitTo(String(Math.max(...readdirSync('/proc/self/fd').map(Number)) + 40))
  const held = takeAll()
  for (const fd of held.splice(0, left)) closeSync(fd)
  try {
    await work()
  } finally {
    // First: prlimit itself needs some.
    for (const fd of held) closeSync(fd)
    limitTo(before)
  }
}

function takeAll(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    expect(error).toMatchObject({ code: 'EMFILE' })
    return taken
  }
}

/** Above what one git command needs. */
const SOME = Array.from({ length: 16 }, (_, left) => left)

function version() {
  return runGit({
    args: ['--version'],
    env: mirrorEnvironment(process.env),
    timeoutMs: 20_000,
    timeoutError: () => new Error('too late'),
    signal: new AbortController().signal,
  })
}

test('a git command without a descriptor left is refused with what to do', async () => {
  await withDescriptors(0, async () => {
    await expect(version()).rejects.toThrow(RunbookError)
    await expect(version()).rejects.toThrow('too many files are open (EMFILE); raise the limit (ulimit -n)')
  })
  expect((await version()).code).toBe(0)
})

test('each object asked for without a descriptor left is refused, and read when there are some', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ a: '1' })
  const reader = new ObjectReader({
    gitDir: join(workshop.origin, '.git'),
    env: mirrorEnvironment(process.env),
  })
  await withDescriptors(0, async () => {
    const reads = Array.from({ length: 3 }, () => reader.read(commit, 1000))
    for (const read of await Promise.allSettled(reads)) {
      expect(read).toMatchObject({
        reason: { code: 'repository-failed', message: expect.stringContaining('EMFILE') as string },
      })
    }
  })
  expect(await reader.read(commit, 1000)).toMatchObject({ kind: 'found', oid: commit })
  await reader.close()
})

test('all that wait are refused when the child ends and no descriptor is left for another', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ a: '1' })
  // Its first start answers nothing.
  const bin = join(workshop.folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'git'), '#!/bin/sh\nread line\n', { mode: 0o755 })
  const env = mirrorEnvironment({ PATH: `${bin}:${process.env['PATH'] ?? ''}` })
  const reader = new ObjectReader({ gitDir: workshop.origin, env })
  // More than one child is asked for.
  const reads = Promise.allSettled(Array.from({ length: 70 }, () => reader.read(commit, 1000)))
  await withDescriptors(0, async () => {
    for (const read of await reads) expect(read.status).toBe('rejected')
  })
  await reader.close()
})

test('a reader closed in the moment in which git could not be started ends nothing else', async () => {
  const reader = new ObjectReader({ gitDir: '/', env: { PATH: '/nowhere' } })
  // Without a pid, a signal to it would go to our own process group.
  const read = reader.read('abcdef0', 10)
  const closed = reader.close()
  await expect(read).rejects.toThrow('is closed')
  await closed
})

test.each(['git', 'objects'])('a start of %s that fails at once is a refusal as well', async (which) => {
  // More than the system takes for one variable.
  const env = { ...mirrorEnvironment(process.env), HOME: 'x'.repeat(200_000) }
  const reader = new ObjectReader({ gitDir: '/', env })
  const signal = new AbortController().signal
  const run = { args: ['--version'], env, timeoutMs: 20_000, timeoutError: () => new Error('late'), signal }
  const started = () => (which === 'git' ? runGit(run) : reader.read('abcdef0', 10))
  for (const attempt of await Promise.allSettled([started(), started()])) {
    expect(attempt).toMatchObject({
      reason: new RunbookError('repository', 'git could not be started: spawn E2BIG'),
    })
  }
  await reader.close()
})

test.each(['a copy', 'no copy'])(
  'a file is read or refused with any small number of descriptors and %s, and read once there are more',
  async (which) => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'a.sql': '1' })
    if (which === 'a copy') await workshop.open().readFile('a.sql')
    for (const left of SOME) {
      const repository = workshop.open()
      await withDescriptors(left, async () => {
        const [read] = await Promise.allSettled([repository.readFile('a.sql')])
        if (read.status === 'rejected') expect([left, read.reason]).toEqual([left, expect.any(RunbookError)])
      })
      expect(await repository.readFile('a.sql')).toEqual({ text: '1', commit })
      await repository.close()
    }
    if (which === 'a copy') expect(workshop.fetches).toBe(1)
  },
)
