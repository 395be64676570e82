import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localTip, ownedPaths } from '../../../src/gateway/runbooks/local.ts'
import { Workshop, git } from './workshop.ts'

test('the tip is read without git from a checkout, a bare repository and a linked worktree', async () => {
  await using workshop = new Workshop()
  const main = workshop.commit({ a: '1' })
  const bare = workshop.bareClone()
  const worktree = workshop.linkedWorktree()
  git(worktree, 'commit', '--quiet', '--allow-empty', '--message=side')
  const side = git(worktree, 'rev-parse', 'HEAD')
  expect(await localTip(workshop.origin, undefined)).toBe(main)
  expect(await localTip(bare, 'main')).toBe(main)
  expect(await localTip(worktree, undefined)).toBe(side)
  expect(await localTip(worktree, 'main')).toBe(main)
  git(workshop.origin, 'pack-refs', '--all')
  expect(await localTip(workshop.origin, 'side')).toBe(side)
  expect(await localTip(worktree, undefined)).toBe(side)
})

test('a packed branch whose name ends like another is not taken for it', async () => {
  await using workshop = new Workshop()
  const main = workshop.commit({ a: '1' })
  git(workshop.origin, 'branch', 'refs/heads/main')
  git(workshop.origin, 'commit', '--quiet', '--allow-empty', '--message=2')
  git(workshop.origin, 'pack-refs', '--all')
  expect(await localTip(workshop.origin, 'refs/heads/main')).toBe(main)
  expect(await localTip(workshop.origin, 'main')).toBe(git(workshop.origin, 'rev-parse', 'refs/heads/main'))
})

test('there is no answer where the files do not tell for sure', async () => {
  await using workshop = new Workshop()
  expect(await localTip(workshop.origin, undefined)).toBeUndefined()
  workshop.commit({ a: '1' })
  // Packed as an ordinary branch before: what is packed no longer counts.
  git(workshop.origin, 'branch', 'link')
  git(workshop.origin, 'pack-refs', '--all')
  git(workshop.origin, 'symbolic-ref', 'refs/heads/link', 'refs/heads/main')
  expect(await localTip(workshop.origin, 'link')).toBeUndefined()
  expect(await localTip(workshop.origin, 'gone')).toBeUndefined()
  expect(await localTip(join(workshop.folder, 'nowhere'), undefined)).toBeUndefined()
  const head = join(workshop.origin, '.git', 'HEAD')
  for (const content of [
    'ref: refs/heads/../../../x',
    'ref: refs/heads/.invalid',
    'ref: refs/bisect/x',
    '',
  ]) {
    writeFileSync(head, `${content}\n`)
    expect(await localTip(workshop.origin, undefined)).toBeUndefined()
  }
  rmSync(join(workshop.origin, '.git'), { recursive: true })
  writeFileSync(join(workshop.origin, '.git'), 'not a gitdir line')
  expect(await localTip(workshop.origin, undefined)).toBeUndefined()
})

test('the folders git may check the owner of are the given one and those it leads to, no others', async () => {
  await using workshop = new Workshop()
  workshop.commit({ a: '1' })
  const worktree = join(workshop.folder, 'worktree')
  git(workshop.origin, 'worktree', 'add', '--quiet', worktree)
  expect((await ownedPaths(worktree)).sort()).toEqual([
    join(workshop.origin, '.git'),
    join(workshop.origin, '.git/worktrees/worktree'),
    worktree,
    join(worktree, '.git'),
  ])
})
