import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { oldCopyText } from '../../../src/gateway/runbooks/old-copy.ts'
import { Workshop } from './workshop.ts'

// What a repository says of a file that it cannot serve, and of a copy that may be old.

describe('a file that no commit has', () => {
  test('is told from one that does not exist when it lies in the working tree', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'ops/a.sql': '1' })
    writeFileSync(join(workshop.origin, 'ops', 'b.sql'), '2')
    const read = (file: string, branch?: string) => workshop.open({ branch }).readFile(file)
    const uncommitted = 'runbook file ops/b.sql is not committed in books; run git add and git commit'
    await expect(read('ops/b.sql')).rejects.toThrow(uncommitted)
    await expect(read('ops/b.sql', 'main')).rejects.toMatchObject({ code: 'runbook-not-found' })
    await expect(read('ops/c.sql')).rejects.toThrow(/^runbook file ops\/c\.sql not found on git repo$/)
    workshop.commit({})
    expect((await read('ops/b.sql')).text).toBe('2')
  })

  test('does not count when it is of another branch, in .git, behind a link, or a folder', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'ops/a.sql': '1' })
    const worktree = workshop.linkedWorktree()
    writeFileSync(join(worktree, 'b.sql'), '2')
    mkdirSync(join(workshop.folder, 'elsewhere'))
    writeFileSync(join(workshop.folder, 'elsewhere', 'b.sql'), '2')
    symlinkSync(join(workshop.folder, 'elsewhere'), join(workshop.origin, 'link'))
    const absent = (file: string) => `runbook file ${file} not found on git repo`
    const other = workshop.open({ name: 'other', url: worktree, branch: 'main' })
    await expect(other.readFile('b.sql')).rejects.toThrow(absent('b.sql'))
    const side = workshop.open({ name: 'side', url: worktree })
    await expect(side.readFile('b.sql')).rejects.toThrow('is not committed in side')
    for (const file of ['link/b.sql', '.git/config', '.GIT/config', 'link'])
      await expect(workshop.open().readFile(file)).rejects.toThrow(absent(file))
  })
})

describe('a copy that may be old', () => {
  test('comes with its time and the reason, in each read until a fetch succeeds', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'a.runbook.sql': '1' })
    const env = workshop.sshEnv()
    const url = `git@books.example.org:${workshop.origin}`
    const repository = workshop.open({ url, env, refreshMs: 0 })
    expect(await repository.readFile('a.runbook.sql')).toEqual({ text: '1', commit })
    workshop.ssh('echo "ssh: host unknown" >&2; exit 255')
    const oldCopy = {
      copiedAt: expect.any(Number) as number,
      reason: expect.stringContaining('ssh: host unknown') as string,
    }
    expect(await repository.readFile('a.runbook.sql')).toEqual({ text: '1', commit, oldCopy })
    expect(await repository.list([''])).toMatchObject({ commit, oldCopy })
    expect(await repository.readFile('a.runbook.sql', commit)).toEqual({ text: '1', commit })
    await expect(repository.readFile('b.sql')).rejects.toThrow(
      /b\.sql not found on git repo; serving the copy of .*ssh: host unknown/,
    )
    const paused = workshop.open({ url, env, refreshMs: 3_600_000 })
    for (let round = 0; round < 2; round += 1)
      expect(await paused.readFile('a.runbook.sql')).toMatchObject({ oldCopy })
    workshop.ssh()
    expect(await repository.readFile('a.runbook.sql')).toEqual({ text: '1', commit })
  })

  test('is said with the minute it is of, and the day when that is another one', () => {
    const copiedAt = Date.UTC(2026, 10, 26, 10, 4, 59)
    const old = { copiedAt, reason: 'host unknown' }
    expect(oldCopyText(old, copiedAt + 60_000)).toBe('serving the copy of 10:04 (UTC): host unknown')
    expect(oldCopyText(old, copiedAt + 24 * 3_600_000)).toBe(
      'serving the copy of 2026-11-26 10:04 (UTC): host unknown',
    )
  })
})
