import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { waitFor } from '../../support/wait.ts'
import { Workshop, git } from './workshop.ts'

/** The remote host is an `ssh` of ours that runs the remote command on this machine. */
function remoteUrl(workshop: Workshop): string {
  return `git@books.example.org:${workshop.origin}`
}

/** Passes the first 2,000,000 bytes on, then nothing, and never ends by itself. */
const THROTTLE = `
  let left = 2_000_000
  process.stdin.on('data', (data) => {
    if (left > 0) process.stdout.write(data.subarray(0, left))
    left -= data.length
  })
  setInterval(() => {}, 1e6)
`

describe('a remote repository', () => {
  test('is fetched once in each refresh interval', async () => {
    await using workshop = new Workshop()
    const env = workshop.sshEnv()
    workshop.commit({ 'a.sql': '1' })
    const url = remoteUrl(workshop)
    const lasting = workshop.open({ url, env, refreshMs: 3_600_000 })
    const eager = workshop.open({ name: 'eager', url: `ssh://git@host${workshop.origin}`, env, refreshMs: 0 })
    expect((await lasting.readFile('a.sql')).text).toBe('1')
    expect((await eager.readFile('a.sql')).text).toBe('1')
    workshop.commit({ 'a.sql': '2' })
    expect((await lasting.readFile('a.sql')).text).toBe('1')
    expect((await eager.readFile('a.sql')).text).toBe('2')
  })

  test('is fetched at once for a ref_hash that the copy lacks', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open({
      url: remoteUrl(workshop),
      env: workshop.sshEnv(),
      refreshMs: 3_600_000,
    })
    await repository.readFile('a.sql')
    const commit = workshop.commit({ 'a.sql': '2' })
    expect(await repository.readFile('a.sql', commit)).toEqual({ text: '2', commit })
    await expect(repository.readFile('a.sql', 'f'.repeat(40))).rejects.toMatchObject({
      code: 'runbook-not-found',
    })
  })

  test('that fails is served from the copy and not tried again within the interval', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const env = workshop.sshEnv()
    const url = remoteUrl(workshop)
    const before = workshop.open({ url, env })
    await before.readFile('a.sql')
    await before.close()
    workshop.ssh(`echo x >> ${workshop.folder}/calls; echo "ssh: connection refused" >&2; exit 255`)
    const repository = workshop.open({ url, env, refreshMs: 3_600_000 })
    for (let round = 0; round < 3; round += 1) expect((await repository.readFile('a.sql')).text).toBe('1')
    expect(readFileSync(join(workshop.folder, 'calls'), 'utf8')).toBe('x\n')
    expect(workshop.warnings.map(({ fields }) => fields['reason'])).toEqual([
      expect.stringContaining('connection refused') as string,
    ])
  })

  test('gets of our environment what git needs and nothing else, and may not prompt', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const dump = join(workshop.folder, 'environment')
    const env = {
      ...workshop.sshEnv(`env > ${dump}`),
      AGENT_TOKEN: 'hunter2',
      GIT_DIR: '/nowhere',
      HOME: '/h',
    }
    await workshop.open({ url: remoteUrl(workshop), env }).readFile('a.sql')
    const seen = readFileSync(dump, 'utf8')
    expect(seen).not.toContain('hunter2')
    expect(seen).not.toContain('/nowhere')
    expect(seen.split('\n')).toEqual(
      expect.arrayContaining([
        'HOME=/h',
        'GIT_TERMINAL_PROMPT=0',
        'GIT_ALLOW_PROTOCOL=file:https:ssh',
        'LC_ALL=C',
      ]),
    )
  })

  test('asks no question of ssh unless the user has set a command', async () => {
    await using workshop = new Workshop()
    const dump = join(workshop.folder, 'arguments')
    workshop.ssh(`echo "$@" > ${dump}; exit 255`)
    const env = { PATH: `${workshop.folder}:${process.env['PATH'] ?? ''}` }
    const repository = workshop.open({ url: 'ssh://git@host:2222/a.git', env })
    await expect(repository.readFile('a.sql')).rejects.toMatchObject({ code: 'repository-failed' })
    expect(readFileSync(dump, 'utf8')).toMatch(
      /^-oBatchMode=yes .*-p 2222 git@host git-upload-pack '\/a\.git'\n$/,
    )
  })

  test('that hangs is given up, with everything git has started, even what ignores SIGTERM', async () => {
    await using workshop = new Workshop()
    const env = workshop.sshEnv(`trap '' TERM\nsleep 600`)
    const repository = workshop.open({ url: remoteUrl(workshop), env, fetchTimeoutMs: 200 })
    await expect(repository.readFile('a.sql')).rejects.toThrow(
      'fetching runbook repository books took longer than 0.2 s',
    )
    expect(workshop.processes()).toEqual([])
    expect(readdirSync(join(workshop.state, 'repositories'))).toEqual([])
    // Not tried again at once, each reader would wait as long.
    workshop.ssh(`touch ${workshop.folder}/again`)
    await expect(repository.readFile('a.sql')).rejects.toThrow('took longer than')
    expect(existsSync(join(workshop.folder, 'again'))).toBe(false)
  })

  test('that hangs keeps nobody waiting while there is a copy, and the fetch goes on', async () => {
    await using workshop = new Workshop()
    const old = workshop.commit({ 'a.sql': '1' })
    const hold = join(workshop.folder, 'hold')
    const env = workshop.sshEnv(
      `echo x >> ${workshop.folder}/calls\nwhile [ -e ${hold} ]; do sleep 0.05; done`,
    )
    const options = { url: remoteUrl(workshop), env, fetchTimeoutMs: 3_600_000, refreshMs: 0 }
    const repository = workshop.open(options)
    await repository.readFile('a.sql')
    writeFileSync(hold, '')
    const commit = workshop.commit({ 'a.sql': '2' })
    for (let round = 0; round < 3; round += 1) {
      const oldCopy = { reason: 'fetching takes longer than 2 s and continues' }
      expect(await repository.readFile('a.sql')).toMatchObject({ text: '1', commit: old, oldCopy })
    }
    expect(readFileSync(join(workshop.folder, 'calls'), 'utf8')).toBe('x\nx\n')
    expect(workshop.warnings).toMatchObject([
      {
        fields: { repository: 'books', reason: 'fetching takes longer than 2 s and continues' },
        message: 'runbook repository is slow; serving its last good copy',
      },
    ])
    rmSync(hold)
    await waitFor(() => git(workshop.mirror, 'rev-parse', 'refs/runbooks/head') === commit)
    expect(await repository.readFile('a.sql')).toEqual({ text: '2', commit })
  })

  test('closing ends a fetch that goes on while the copy is served', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const env = workshop.sshEnv()
    const repository = workshop.open({ url: remoteUrl(workshop), env, refreshMs: 0 })
    await repository.readFile('a.sql')
    workshop.ssh('sleep 600')
    expect((await repository.readFile('a.sql')).text).toBe('1')
    expect(workshop.processes().join()).toContain('fetch')
    await repository.close()
    expect(workshop.processes()).toEqual([])
  })

  test('closing ends a fetch that is under way', async () => {
    await using workshop = new Workshop()
    const started = join(workshop.folder, 'started')
    const env = workshop.sshEnv(`touch ${started}\nsleep 600`)
    const repository = workshop.open({ url: remoteUrl(workshop), env })
    const reading = repository.readFile('a.sql').catch((error: unknown) => String(error))
    await waitFor(() => existsSync(started))
    await repository.close()
    expect(await reading).toContain('is closed')
    expect(workshop.processes()).toEqual([])
    expect(readdirSync(join(workshop.state, 'repositories'))).toEqual([])
  })

  test('an ssh connection that stays open in the background does not hold the fetch up', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const pid = join(workshop.folder, 'pid')
    // Like ControlPersist: a session of its own, and git's stderr kept.
    const env = workshop.sshEnv(`setsid sh -c 'echo $$ > ${pid}; exec sleep 600' </dev/null >/dev/null &`)
    const repository = workshop.open({ url: remoteUrl(workshop), env })
    expect((await repository.readFile('a.sql')).text).toBe('1')
    process.kill(Number(readFileSync(pid, 'utf8')))
  })
})

describe('a repository that is too big', () => {
  test('is an error that names the limit, and nothing of it is kept', async () => {
    await using workshop = new Workshop()
    workshop.commit({ big: randomBytes(3_000_000), 'a.sql': '1' })
    const repository = workshop.open({ maxBytes: 1024 * 1024 })
    await expect(repository.readFile('a.sql')).rejects.toThrow('books is bigger than 1 MiB')
    expect(readdirSync(join(workshop.state, 'repositories'))).toEqual([])
  })

  test('is served as it was while it was small enough', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'a.sql': '1' })
    const repository = workshop.open({ maxBytes: 1024 * 1024 })
    await repository.readFile('a.sql')
    workshop.commit({ big: randomBytes(1_200_000), 'a.sql': '2' })
    expect(await repository.readFile('a.sql')).toMatchObject({ text: '1', commit, oldCopy: {} })
    expect(workshop.warnings.at(-1)?.fields['reason']).toContain('bigger than 1 MiB')
  })

  test('is fetched anew when what made it too big has left the branch', async () => {
    await using workshop = new Workshop()
    const base = workshop.commit({ 'a.sql': '1' })
    const options = { maxBytes: 4 * 1024 * 1024 }
    const before = workshop.open(options)
    workshop.commit({ big: randomBytes(3_000_000) })
    await before.readFile('a.sql')
    git(workshop.origin, 'reset', '--quiet', '--hard', base)
    const commit = workshop.commit({ big: randomBytes(3_000_000) })
    expect((await before.readFile('a.sql')).commit).toBe(commit)
    expect(workshop.warnings.map(({ message }) => message)).toEqual([
      'runbook mirror is fetched from scratch',
    ])
  })

  test('is stopped while it is still coming, and what came is removed', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({ 'a.sql': '1' })
    const env = workshop.sshEnv()
    const url = remoteUrl(workshop)
    const options = { url, env, maxBytes: 1024 * 1024, refreshMs: 0 }
    const repository = workshop.open(options)
    await repository.readFile('a.sql')
    // A hundred objects or more arrive as one pack; then the line goes quiet and never ends.
    const files = Array.from({ length: 120 }, (_, index) => [`f${index}`, randomBytes(30_000)] as const)
    workshop.commit(Object.fromEntries(files))
    const throttle = join(workshop.folder, 'throttle.cjs')
    writeFileSync(throttle, THROTTLE)
    const slow = join(workshop.folder, 'slow')
    writeFileSync(slow, `for last; do :; done\nsh -c "$last" | ${process.execPath} ${throttle}\n`)
    workshop.ssh(`exec sh ${slow} "$@"`)
    expect(await repository.readFile('a.sql')).toMatchObject({ text: '1', commit, oldCopy: {} })
    // On a busy machine the copy is served before the fetch has become too big.
    await waitFor(() => String(workshop.warnings.at(-1)?.fields['reason']).includes('bigger than 1 MiB'))
    // A copy from scratch is tried behind it, and its processes end with it.
    await waitFor(() => workshop.processes().length === 1)
    expect(readdirSync(join(workshop.mirror, 'objects', 'pack'))).toEqual([])
    expect(workshop.processes()).toEqual([`git --git-dir ${workshop.mirror} cat-file --batch `])
  })
})
