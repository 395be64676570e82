import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RunbookError } from '../../../src/gateway/refusals/runbook-errors.ts'
import { httpStatus } from '../../../src/contract/statuses.ts'
import { waitFor } from '../../support/wait.ts'
import { Workshop, git } from './workshop.ts'

async function failure(promise: Promise<unknown>): Promise<{ status: number; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof RunbookError)) throw new Error('expected a RunbookError', { cause: error })
  return { status: httpStatus(error.code), message: error.message }
}

/** A folder with a `git` whose first fetch, once done, makes the file `fetched` and waits for its removal. */
function slowFetch(workshop: Workshop, fetched: string): string {
  const folder = join(workshop.folder, 'bin')
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  const once = `[ "$3" = fetch ] && mkdir ${folder}/once 2>/dev/null || exec ${real} "$@"`
  const wait = `${real} "$@" && touch ${fetched}; while [ -e ${fetched} ]; do sleep 0.01; done`
  mkdirSync(folder)
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${once}\n${wait}\n`, { mode: 0o755 })
  return folder
}

/** A folder with a `git` that removes the objects of the mirror after each fetch, when their size is accepted. */
function damagingGit(workshop: Workshop): string {
  const folder = join(workshop.folder, 'bin')
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  const damage = `[ "$3" = update-ref ] && rm -r "$2"/objects/*`
  mkdirSync(folder)
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${real} "$@" || exit\n${damage}\nexit 0\n`, { mode: 0o755 })
  return folder
}

describe('reading a file', () => {
  test('gives its text and the commit it comes from, exactly as committed', async () => {
    await using workshop = new Workshop()
    const text = '\ufeffselect 1;\r\n-- ünïcödé \u0000 and no newline at the end'
    const commit = workshop.commit({ 'sql/deep/a b.runbook.sql': text })
    const repository = workshop.open()
    expect(await repository.readFile('sql/deep/a b.runbook.sql')).toEqual({ text, commit })
  })

  test('sees a commit at the very next read, many times in a row', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': 'first' })
    const repository = workshop.open()
    for (let round = 0; round < 25; round += 1) {
      // Same length each time and within one tick of a file system's clock.
      const commit = workshop.commit({ 'a.sql': String(1000 + round) })
      expect(await repository.readFile('a.sql')).toEqual({ text: String(1000 + round), commit })
    }
  })

  test('sees a commit after the branch has been packed, and one after that', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open()
    expect((await repository.readFile('a.sql')).text).toBe('1')
    workshop.commit({ 'a.sql': '2' })
    git(workshop.origin, 'pack-refs', '--all')
    git(workshop.origin, 'gc', '--quiet')
    expect((await repository.readFile('a.sql')).text).toBe('2')
    workshop.commit({ 'a.sql': '3' })
    expect((await repository.readFile('a.sql')).text).toBe('3')
  })

  test('does not fetch again while nothing has changed', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open()
    for (let round = 0; round < 5; round += 1) await repository.readFile('a.sql')
    expect(workshop.fetches).toBe(1)
  })

  test('sees a change that is committed while another read is fetching', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': 'old' })
    const fetched = join(workshop.folder, 'fetched')
    const env = { PATH: `${slowFetch(workshop, fetched)}:${process.env['PATH'] ?? ''}` }
    const repository = workshop.open({ env })
    const early = repository.readFile('a.sql')
    await waitFor(() => existsSync(fetched))
    workshop.commit({ 'a.sql': 'new' })
    const late = repository.readFile('a.sql')
    // Long enough for it to join the fetch under way; the test holds either way.
    for (let turn = 0; turn < 20; turn += 1) await stat(workshop.folder)
    rmSync(fetched)
    expect((await late).text).toBe('new')
    await early
  })

  test('shares one fetch and one child among a hundred readers', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'a/b/c.sql': 'x'.repeat(100_000), 'd.sql': 'd' })
    const repository = workshop.open()
    const reads = Array.from({ length: 100 }, (_, index) =>
      repository.readFile(index % 2 === 0 ? 'a/b/c.sql' : 'd.sql'),
    )
    const files = await Promise.all(reads)
    expect(files.map((file) => file.text.length)).toEqual(reads.map((_, index) => (index % 2 ? 1 : 100_000)))
    expect(new Set(files.map((file) => file.commit))).toEqual(new Set([commit]))
    expect(workshop.fetches).toBe(1)
    expect(workshop.processes()).toEqual([`git --git-dir ${workshop.mirror} cat-file --batch `])
  })

  test('keeps the mirror private and runs no hook of anybody', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    await workshop.open().readFile('a.sql')
    expect(statSync(join(workshop.state, 'repositories')).mode & 0o777).toBe(0o700)
    expect(statSync(workshop.mirror).mode & 0o777).toBe(0o700)
    expect(existsSync(join(workshop.mirror, 'hooks'))).toBe(false)
    expect(readdirSync(join(workshop.state, 'repositories'))).toEqual(['books.git'])
  })
})

describe('the place of a repository', () => {
  test('a file:// URL, a bare repository and a linked worktree all work', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': 'main' })
    const bare = workshop.bareClone('with space.git')
    const worktree = workshop.linkedWorktree()
    git(worktree, 'commit', '--quiet', '--allow-empty', '--message=side')
    const side = git(worktree, 'rev-parse', 'HEAD')
    const urls = { file: `file://${workshop.origin}`, bare, 'bare-file': `file://${encodeURI(bare)}` }
    for (const [name, url] of Object.entries(urls)) {
      expect((await workshop.open({ name, url }).readFile('a.sql')).text).toBe('main')
    }
    expect((await workshop.open({ name: 'worktree', url: worktree }).readFile('a.sql')).commit).toBe(side)
  })

  test('a commit in a linked worktree or a push to a bare repository is seen at once', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const bare = workshop.bareClone()
    const worktree = workshop.linkedWorktree()
    const fromBare = workshop.open({ name: 'bare', url: bare })
    const fromWorktree = workshop.open({ name: 'worktree', url: worktree })
    await Promise.all([fromBare.readFile('a.sql'), fromWorktree.readFile('a.sql')])
    git(worktree, 'commit', '--quiet', '--allow-empty', '--message=side')
    expect((await fromWorktree.readFile('a.sql')).commit).toBe(git(worktree, 'rev-parse', 'HEAD'))
    const pushed = workshop.commit({ 'a.sql': '2' })
    git(workshop.origin, 'push', '--quiet', bare, 'main')
    expect((await fromBare.readFile('a.sql')).commit).toBe(pushed)
  })

  test('the branch is the configured one, else the one that is checked out', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': 'main' })
    git(workshop.origin, 'checkout', '--quiet', '-b', 'release/1.x')
    workshop.commit({ 'a.sql': 'release' })
    const configured = workshop.open({ name: 'configured', branch: 'main' })
    const following = workshop.open({ name: 'following' })
    expect((await configured.readFile('a.sql')).text).toBe('main')
    expect((await following.readFile('a.sql')).text).toBe('release')
    git(workshop.origin, 'checkout', '--quiet', 'main')
    expect((await following.readFile('a.sql')).text).toBe('main')
    git(workshop.origin, 'checkout', '--quiet', '--detach', 'release/1.x')
    expect((await following.readFile('a.sql')).text).toBe('release')
  })

  test('a symbolic branch, whose target we do not follow ourselves, is fetched each time and right', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    git(workshop.origin, 'symbolic-ref', 'refs/heads/live', 'refs/heads/main')
    const repository = workshop.open({ branch: 'live' })
    expect((await repository.readFile('a.sql')).text).toBe('1')
    workshop.commit({ 'a.sql': '2' })
    expect((await repository.readFile('a.sql')).text).toBe('2')
  })

  test('a shallow clone and a repository with SHA-256 ids work', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    workshop.commit({ 'a.sql': '2' })
    const shallow = join(workshop.folder, 'shallow')
    git(workshop.folder, 'clone', '--quiet', '--depth=1', `file://${workshop.origin}`, shallow)
    expect((await workshop.open({ url: shallow }).readFile('a.sql')).text).toBe('2')
    await using modern = new Workshop('--object-format=sha256')
    const first = modern.commit({ 'x/a.sql': '256' })
    modern.commit({ 'x/a.sql': 'later' })
    const repository = modern.open()
    expect(await repository.readFile('x/a.sql', first)).toEqual({ text: '256', commit: first })
  })

  test.runIf(process.getuid?.() === 0)('a local repository may belong to another user', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    git(workshop.folder, 'clone', '--quiet', '--bare', workshop.origin, join(workshop.folder, 'bare.git'))
    execFileSync('chown', ['-R', '65534', workshop.origin, join(workshop.folder, 'bare.git')])
    chmodSync(workshop.folder, 0o755)
    expect((await workshop.open().readFile('a.sql')).text).toBe('1')
    const bare = workshop.open({ name: 'bare', url: join(workshop.folder, 'bare.git') })
    expect((await bare.readFile('a.sql')).text).toBe('1')
    symlinkSync(workshop.origin, join(workshop.folder, 'link'))
    const linked = workshop.open({ name: 'link', url: join(workshop.folder, 'link') })
    expect((await linked.readFile('a.sql')).text).toBe('1')
  })

  test('two names that only differ in special characters have mirrors of their own', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    for (const name of ['team/ops', 'team:ops', '..', '-x']) {
      expect((await workshop.open({ name }).readFile('a.sql')).text).toBe('1')
    }
    const folders = readdirSync(join(workshop.state, 'repositories'))
    expect(folders).toHaveLength(4)
    for (const folder of folders) expect(folder).toMatch(/^(team_ops|_|_x)-[0-9a-f]{8}\.git$/)
  })

  test('a repository that was never there, or lacks the branch, is an error that says so', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const nowhere = workshop.open({ url: join(workshop.folder, 'nowhere') })
    expect(await failure(nowhere.readFile('a.sql'))).toEqual({
      status: 500,
      message: expect.stringMatching(/books.*nowhere' does not appear to be a git repository/) as string,
    })
    const branchless = workshop.open({ branch: 'gone' })
    expect((await failure(branchless.readFile('a.sql'))).message).toMatch(/has no branch gone$/)
    expect(readdirSync(join(workshop.state, 'repositories'))).toEqual([])
  })

  test('an empty repository is an error until its first commit', async () => {
    await using workshop = new Workshop()
    const repository = workshop.open()
    expect((await failure(repository.readFile('a.sql'))).status).toBe(500)
    workshop.commit({ 'a.sql': '1' })
    expect((await repository.readFile('a.sql')).text).toBe('1')
  })

  test('without git in PATH the error says to install it', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open({ env: { PATH: workshop.folder } })
    expect(await failure(repository.readFile('a.sql'))).toEqual({
      status: 500,
      message: expect.stringContaining('install git') as string,
    })
  })
})

describe('the files that may be read', () => {
  test('a missing file is not found, in the words of the hosted gateway', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1', 'dir/b.sql': '2' })
    const repository = workshop.open()
    for (const path of ['b.sql', 'dir/c.sql', 'nodir/c.sql', 'a.sql/b', 'A.sql', 'a\\b']) {
      const message = `runbook file ${path} not found on git repo`
      expect(await failure(repository.readFile(path))).toEqual({ status: 404, message })
    }
  })

  test('links, submodules and folders are refused wherever they are in the path', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'real/a.sql': '1' })
    symlinkSync('/etc/passwd', join(workshop.origin, 'passwd.sql'))
    symlinkSync('real', join(workshop.origin, 'link'))
    git(workshop.origin, 'update-index', '--add', '--cacheinfo', `160000,${commit},module`)
    git(workshop.origin, 'add', 'passwd.sql', 'link')
    git(workshop.origin, 'commit', '--quiet', '--message=links')
    const repository = workshop.open()
    const reasons = {
      'passwd.sql': 'symbolic link',
      link: 'symbolic link',
      'link/a.sql': 'symbolic link',
      module: 'submodule',
      'module/a.sql': 'submodule',
      real: 'is a folder',
    }
    for (const [path, reason] of Object.entries(reasons)) {
      const { status, message } = await failure(repository.readFile(path))
      expect({ path, status, message }).toMatchObject({ status: 400 })
      expect(message).toContain(reason)
    }
  })

  test('a path that is not plainly relative is refused before git is asked', async () => {
    await using workshop = new Workshop()
    const repository = workshop.open()
    const paths = [
      '',
      '/etc/passwd',
      '../x',
      'a/../b',
      'a/./b',
      '.',
      '..',
      'a//b',
      'a/',
      'a\0b',
      'a\nb',
      'a\x7f',
    ]
    for (const path of [...paths, 'x'.repeat(4097)]) {
      expect(await failure(repository.readFile(path))).toMatchObject({ status: 400 })
    }
    expect(existsSync(workshop.state)).toBe(false)
  })

  test('a million bytes are read, one more is refused and the next read still works', async () => {
    await using workshop = new Workshop()
    workshop.commit({ fits: 'x'.repeat(1_000_000), over: 'x'.repeat(1_000_001), small: 's' })
    const repository = workshop.open()
    const reads = await Promise.allSettled(['over', 'fits', 'small'].map((path) => repository.readFile(path)))
    expect(
      reads.map((read) => (read.status === 'fulfilled' ? read.value.text.length : String(read.reason))),
    ).toEqual(['RunbookError: max template size [1000 KB] reached for over', 1_000_000, 1])
  })

  test('a file that is not UTF-8 is refused', async () => {
    await using workshop = new Workshop()
    workshop.commit({ latin1: Buffer.from([0x66, 0xfc, 0x72]) })
    expect(await failure(workshop.open().readFile('latin1'))).toEqual({
      status: 400,
      message: 'runbook file latin1 is not valid UTF-8 text',
    })
  })
})

describe('reading at a ref_hash', () => {
  test('an older commit of the branch is read, in full or shortened, in any case', async () => {
    await using workshop = new Workshop()
    const old = workshop.commit({ 'a.sql': 'old' })
    const tip = workshop.commit({ 'a.sql': 'new' })
    const repository = workshop.open()
    for (const hash of [old, old.slice(0, 7), old.slice(0, 12).toUpperCase()]) {
      expect(await repository.readFile('a.sql', hash)).toEqual({ text: 'old', commit: old })
    }
    expect(await repository.readFile('a.sql', tip)).toEqual({ text: 'new', commit: tip })
    expect(await repository.readFile('a.sql', '')).toEqual({ text: 'new', commit: tip })
  })

  test('a commit of another branch is refused, even if its objects are in the mirror', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': 'main' })
    git(workshop.origin, 'checkout', '--quiet', '-b', 'evil')
    const evil = workshop.commit({ 'a.sql': 'drop table users' })
    const repository = workshop.open({ branch: 'main' })
    expect(await failure(repository.readFile('a.sql', evil))).toEqual({
      status: 404,
      message: `ref_hash ${evil} not found in repository books`,
    })
    git(workshop.mirror, 'fetch', '--quiet', workshop.origin, '+evil:refs/runbooks/other')
    expect(await failure(repository.readFile('a.sql', evil))).toEqual({
      status: 400,
      message: `ref_hash ${evil} is not on the configured branch of repository books`,
    })
  })

  test('a force push is followed and takes the old commits off the branch', async () => {
    await using workshop = new Workshop()
    const base = workshop.commit({ 'a.sql': 'base' })
    const withdrawn = workshop.commit({ 'a.sql': 'withdrawn' })
    workshop.commit({ 'a.sql': 'withdrawn too' })
    const repository = workshop.open()
    expect((await repository.readFile('a.sql', withdrawn)).text).toBe('withdrawn')
    git(workshop.origin, 'reset', '--quiet', '--hard', base)
    const tip = workshop.commit({ 'a.sql': 'better' })
    expect(await repository.readFile('a.sql')).toEqual({ text: 'better', commit: tip })
    expect((await failure(repository.readFile('a.sql', withdrawn))).status).toBe(400)
    expect((await repository.readFile('a.sql', base)).text).toBe('base')
  })

  test('what is no hash is refused before git is asked', async () => {
    await using workshop = new Workshop()
    const repository = workshop.open()
    for (const hash of [
      'main',
      'HEAD',
      'HEAD~1',
      'abcdef',
      'a'.repeat(65),
      '-abcdef0',
      'abcdef0^',
      'abcdef0\nHEAD',
    ]) {
      const { status, message } = await failure(repository.readFile('a.sql', hash))
      expect(status).toBe(400)
      expect(message).toContain('ref_hash')
    }
    expect(existsSync(workshop.state)).toBe(false)
  })

  test('the hash of a tree, a file or a tag is not a commit', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1', big: 'x'.repeat(9_000_000) })
    const repository = workshop.open()
    for (const name of ['HEAD^{tree}', 'HEAD:a.sql', 'HEAD:big']) {
      const hash = git(workshop.origin, 'rev-parse', name)
      expect(await failure(repository.readFile('a.sql', hash))).toEqual({
        status: 400,
        message: `ref_hash ${hash} is not a commit`,
      })
    }
    git(workshop.origin, 'tag', '--annotate', '--message=t', 'v1')
    const tag = git(workshop.origin, 'rev-parse', 'v1')
    expect((await failure(repository.readFile('a.sql', tag))).status).toBe(404)
    git(workshop.mirror, 'fetch', '--quiet', workshop.origin, 'refs/tags/v1:refs/runbooks/tag')
    expect((await failure(repository.readFile('a.sql', tag))).message).toContain('is not a commit')
  })
})

describe('a remote that cannot be reached', () => {
  test('the last good copy is served, and the log says why and how old it is', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open()
    await repository.readFile('a.sql')
    renameSync(workshop.origin, join(workshop.folder, 'moved'))
    expect(await repository.readFile('a.sql')).toMatchObject({ text: '1', commit })
    expect(await repository.readFile('a.sql', commit)).toEqual({ text: '1', commit })
    expect(workshop.warnings[0]).toMatchObject({
      fields: { repository: 'books', reason: expect.stringContaining('does not appear') as string },
      message: 'cannot fetch runbook repository; serving its last good copy',
    })
    expect(workshop.warnings[0]?.fields['ageSeconds']).toBeTypeOf('number')
    renameSync(join(workshop.folder, 'moved'), workshop.origin)
    expect(await repository.readFile('a.sql')).toEqual({ text: '1', commit })
  })

  test('a restart on the same state folder serves the copy of before', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'a.sql': '1' })
    const before = workshop.open()
    await before.readFile('a.sql')
    await before.close()
    rmSync(workshop.origin, { recursive: true })
    expect(await workshop.open().readFile('a.sql')).toMatchObject({ text: '1', commit })
  })

  test('a copy of another URL or branch under the same name is never served', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const before = workshop.open()
    await before.readFile('a.sql')
    await before.close()
    expect((await failure(workshop.open({ branch: 'gone' }).readFile('a.sql'))).status).toBe(500)
    const nowhere = workshop.open({ url: join(workshop.folder, 'nowhere') })
    expect((await failure(nowhere.readFile('a.sql'))).status).toBe(500)
    expect((await workshop.open().readFile('a.sql')).text).toBe('1')
  })
})

describe('the paths of a repository', () => {
  test('are those of all files at the newest commit, also of files that are no runbooks', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'ops/a.runbook.sh': '1', 'ops/b.sql': '2', 'c.md': '3' })
    const repository = workshop.open()
    expect(await repository.paths()).toEqual(['c.md', 'ops/a.runbook.sh', 'ops/b.sql'])
    symlinkSync('c.md', join(workshop.origin, 'link.sh'))
    workshop.commit({ 'd.sh': '4' })
    expect(await repository.paths()).toEqual(['c.md', 'd.sh', 'ops/a.runbook.sh', 'ops/b.sql'])
  })

  test('are fetched without contents and older commits, if the server can do that', async () => {
    await using workshop = new Workshop()
    git(workshop.origin, 'config', 'uploadpack.allowFilter', 'true')
    workshop.commit({ 'a.sh': '1' })
    workshop.commit({ 'b.sh': '2' })
    const url = `ssh://localhost${workshop.origin}`
    const paths = await workshop.open({ url, env: workshop.sshEnv(), pathsOnly: true }).paths()
    expect(paths).toEqual(['a.sh', 'b.sh'])
    // One commit and its tree.
    expect(git(workshop.mirror, 'count-objects', '-v')).toMatch(/^in-pack: 2$/m)
  })

  test('are fetched only once into a new mirror, also if the mirror is damaged', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sh': '1' })
    const env = { PATH: `${damagingGit(workshop)}:${process.env['PATH']}` }
    const { message } = await failure(workshop.open({ env, pathsOnly: true }).paths())
    expect(message).toBe('the mirror of books has lost its branch')
    expect(workshop.fetches).toBe(1)
  })

  test('are not there without the branch, and the error names it', async () => {
    await using workshop = new Workshop()
    const { message } = await failure(workshop.open().paths())
    expect(message).toBe('runbook repository books has no commit')
    workshop.commit({ 'a.sh': '1' })
    const gone = await failure(workshop.open({ branch: 'gone' }).paths())
    expect(gone.message).toBe('runbook repository books has no branch gone')
  })
})

describe('closing', () => {
  test('leaves no process behind and refuses what comes later', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open()
    await repository.readFile('a.sql')
    const pending = failure(repository.readFile('a.sql'))
    await repository.close()
    expect((await pending).message).toContain('is closed')
    expect((await failure(repository.readFile('a.sql'))).message).toContain('is closed')
    expect(workshop.processes()).toEqual([])
    await repository.close()
  })

  test('during a first read writes nothing to the state folder any more', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open()
    const pending = failure(repository.readFile('a.sql'))
    await repository.close()
    expect((await pending).message).toContain('is closed')
    expect(existsSync(workshop.state)).toBe(false)
  })
})
