import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mirrorEnvironment } from '../../../../src/gateway/runbooks/git/environment.ts'
import { RunbookError } from '../../../../src/gateway/refusals/runbook-errors.ts'
import { ObjectReader, type ObjectReaderOptions } from '../../../../src/gateway/runbooks/git/objects.ts'
import { waitFor } from '../../../support/wait.ts'
import { Workshop, git } from '../workshop.ts'

type Reader = ObjectReader & AsyncDisposable

function open(workshop: Workshop, options: Partial<ObjectReaderOptions> = {}): Reader {
  const env = mirrorEnvironment(process.env)
  const reader = new ObjectReader({ gitDir: join(workshop.origin, '.git'), env, ...options })
  return Object.assign(reader, { [Symbol.asyncDispose]: () => reader.close() })
}

/** A `git` of ours in front of PATH, which leaves a line in `<folder>/calls` for each start. */
function fakeGit(workshop: Workshop, body: string): NodeJS.ProcessEnv {
  const folder = join(workshop.folder, 'bin')
  mkdirSync(folder)
  writeFileSync(join(folder, 'git'), `#!/bin/sh\necho start >> ${workshop.folder}/calls\n${body}\n`)
  chmodSync(join(folder, 'git'), 0o755)
  return { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
}

function children(): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isOurCatFile(pid))
}

function isOurCatFile(pid: string): boolean {
  try {
    const [, , , parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')
    return parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('cat-file')
  } catch {
    return false
  }
}

test('nothing but object ids ever gets into the stdin of git', async () => {
  await using workshop = new Workshop()
  await using reader = open(workshop)
  for (const name of [
    'HEAD',
    'main',
    'abcdef',
    '--batch',
    'abcdef0\nHEAD',
    'abcdef0\n',
    'abcdef0^{tree}',
    'ABCDEF0',
  ]) {
    await expect(reader.read(name, 10)).rejects.toThrow('not an object id')
  }
  expect(children()).toEqual([])
})

test('an object that arrives later in a new pack is seen', async () => {
  await using workshop = new Workshop()
  const first = workshop.commit({ a: '1' })
  git(workshop.origin, 'gc', '--quiet')
  await using reader = open(workshop)
  expect(await reader.read(first, 1000)).toMatchObject({ kind: 'found', oid: first, type: 'commit' })
  const second = workshop.commit({ a: '2' })
  git(workshop.origin, 'gc', '--quiet', '--prune=now')
  expect(await reader.read(second, 1000)).toMatchObject({ kind: 'found', oid: second })
  expect(await reader.read('f'.repeat(40), 1000)).toEqual({ kind: 'missing' })
})

test('an object above the limit is refused, and what waits behind it is answered', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ big: 'x'.repeat(5_000_000) })
  const big = git(workshop.origin, 'rev-parse', 'HEAD:big')
  await using reader = open(workshop)
  const replies = await Promise.all([
    reader.read(big, 4_999_999),
    reader.read(commit, 1000),
    reader.read(big, 5_000_000),
  ])
  expect(replies.map(({ kind }) => kind)).toEqual(['too-large', 'found', 'found'])
})

test('the death of the child costs one request, the others go to a new one', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ a: '1' })
  await using reader = open(workshop)
  await reader.read(commit, 1000)
  const [child] = children()
  process.kill(Number(child), 'SIGSTOP')
  const reads = Promise.allSettled([
    reader.read(commit, 1000),
    reader.read(commit, 1000),
    reader.read(commit, 1000),
  ])
  process.kill(Number(child), 'SIGKILL')
  const [first, ...others] = await reads
  expect(first.status === 'rejected' && (first.reason as unknown) instanceof RunbookError).toBe(true)
  expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
})

test('a child that does not answer in time is replaced', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ a: '1' })
  await using reader = open(workshop, { timeoutMs: 2000 })
  await reader.read(commit, 1000)
  const [child] = children()
  process.kill(Number(child), 'SIGSTOP')
  await expect(reader.read(commit, 1000)).rejects.toThrow('did not answer in time')
  expect(await reader.read(commit, 1000)).toMatchObject({ kind: 'found' })
  await waitFor(() => children().length === 1)
  expect(children()).not.toContain(child)
})

test('a git that babbles is ended', async () => {
  await using workshop = new Workshop()
  const env = mirrorEnvironment(fakeGit(workshop, 'exec yes nonsense'))
  await using reader = open(workshop, { env })
  await expect(reader.read('abcdef0', 10)).rejects.toThrow('unknown format')
})

test('no request gets the object of another when git answers once too often', async () => {
  await using workshop = new Workshop()
  const [a, b] = ['a'.repeat(40), 'b'.repeat(40)]
  const twice = `while read -r name; do printf '%s blob 1\\nx\\n%s blob 1\\nx\\n' $name $name; done`
  await using reader = open(workshop, { env: mirrorEnvironment(fakeGit(workshop, twice)) })
  const [first, second] = await Promise.allSettled([reader.read(a, 10), reader.read(b, 10)])
  expect(first).toMatchObject({ value: { oid: a } })
  expect(second).toMatchObject({ reason: { message: 'git cat-file sent an answer that was not requested' } })
})

test('a git that ends at once fails each request with what it said, and is not started more often', async () => {
  await using workshop = new Workshop()
  const env = mirrorEnvironment(fakeGit(workshop, 'echo "fatal: bad config" >&2; exit 128'))
  await using reader = open(workshop, { env })
  const reads = await Promise.allSettled([reader.read('abcdef0', 10), reader.read('abcdef0', 10)])
  expect(reads.map((read) => (read.status === 'rejected' ? String(read.reason) : read.value))).toEqual([
    'RunbookError: git cat-file ended: fatal: bad config',
    'RunbookError: git cat-file ended: fatal: bad config',
  ])
  expect(readFileSync(join(workshop.folder, 'calls'), 'utf8')).toBe('start\nstart\n')
})

test('the queue is bounded', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ a: '1' })
  await using reader = open(workshop, { maxWaiting: 2 })
  const reads = await Promise.allSettled(Array.from({ length: 40 }, () => reader.read(commit, 1000)))
  // The child is asked for 32, two wait.
  const fulfilled = reads.map(({ status }) => status === 'fulfilled')
  expect(fulfilled).toEqual([...Array<boolean>(34).fill(true), ...Array<boolean>(6).fill(false)])
})

test('renewing lets the requests that are under way finish and then uses another child', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ a: '1' })
  await using reader = open(workshop)
  await reader.read(commit, 1000)
  const before = children()
  const reads = [reader.read(commit, 1000), reader.read(commit, 1000)]
  reader.renew()
  reads.push(reader.read(commit, 1000))
  for (const reply of await Promise.all(reads)) expect(reply.kind).toBe('found')
  await waitFor(() => children().length === 1)
  expect(children()).not.toEqual(before)
})

test('closing rejects what waits, ends the child and can be done twice', async () => {
  await using workshop = new Workshop()
  const commit = workshop.commit({ a: '1' })
  const reader = open(workshop)
  const reads = Promise.allSettled([reader.read(commit, 1000), reader.read(commit, 1000)])
  await reader.close()
  await reader.close()
  expect((await reads).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(reader.read(commit, 1000)).rejects.toThrow('is closed')
  expect(children()).toEqual([])
})
