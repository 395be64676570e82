import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Workshop, git } from './workshop.ts'

/** Where git keeps one loose object. */
function loose(gitDir: string, oid: string): string {
  return join(gitDir, 'objects', oid.slice(0, 2), oid.slice(2))
}

/** What has to go before something else can stand there. */
const SPOILED: Readonly<Record<string, (mirror: string) => string>> = {
  'a file stands in its place': (mirror) => mirror,
  'an empty folder stands in its place': (mirror) => mirror,
  'its origin is a folder': (mirror) => join(mirror, 'runbooks-origin'),
  'its objects are a file': (mirror) => join(mirror, 'objects'),
  'a file stands in place of all mirrors': (mirror) => dirname(mirror),
}

const FROM_SCRATCH = 'runbook mirror is fetched from scratch'

describe('a broken mirror is made anew', () => {
  test('when an object of it is missing', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'dir/a.sql': 'text' })
    const repository = workshop.open()
    await repository.readFile('dir/a.sql')
    for (const name of ['HEAD:dir/a.sql', 'HEAD:dir', 'HEAD^{tree}']) {
      rmSync(loose(workshop.mirror, git(workshop.origin, 'rev-parse', name)), { force: true })
      expect((await repository.readFile('dir/a.sql')).text).toBe('text')
    }
  })

  test('when an object of it is damaged, also if a hundred readers notice', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'dir/a.sql': 'text' })
    const before = workshop.open()
    await before.readFile('dir/a.sql')
    await before.close()
    const file = loose(workshop.mirror, git(workshop.origin, 'rev-parse', 'HEAD:dir/a.sql'))
    rmSync(file)
    writeFileSync(file, 'no zlib')
    const repository = workshop.open()
    const reads = Array.from({ length: 100 }, () => repository.readFile('dir/a.sql'))
    for (const { text } of await Promise.all(reads)) expect(text).toBe('text')
    expect(workshop.fetches).toBe(2)
  })

  test.each([
    ['its configuration is no configuration', 'config', 'not [ a config'],
    ['its HEAD is gone', 'HEAD', undefined],
    ['its branch is gone', 'refs/runbooks/head', undefined],
    ['its branch is no commit', 'refs/runbooks/head', 'deadbeef\n'],
    ['a crash left the lock of its branch', 'refs/runbooks/head.lock', ''],
  ])('when %s', async (_why, file, content) => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1' })
    const before = workshop.open()
    await before.readFile('a.sql')
    await before.close()
    workshop.commit({ 'a.sql': '2' })
    if (content === undefined) rmSync(join(workshop.mirror, file))
    else writeFileSync(join(workshop.mirror, file), content)
    expect((await workshop.open().readFile('a.sql')).text).toBe('2')
    expect(readdirSync(join(workshop.state, 'repositories'))).toEqual(['books.git'])
  })

  test.each<[string, (mirror: string) => void]>([
    ['a file stands in its place', (mirror) => writeFileSync(mirror, 'no folder')],
    ['an empty folder stands in its place', (mirror) => mkdirSync(mirror)],
    ['nothing but its origin is left', (mirror) => rmSync(join(mirror, 'objects'), { recursive: true })],
    ['its origin is a folder', (mirror) => mkdirSync(join(mirror, 'runbooks-origin'))],
    ['its objects are a file', (mirror) => writeFileSync(join(mirror, 'objects'), '')],
    ['a file stands in place of all mirrors', (mirror) => writeFileSync(dirname(mirror), '')],
  ])('when %s, also that of a remote', async (_why, spoil) => {
    for (const remote of [false, true]) {
      await using workshop = new Workshop()
      workshop.commit({ 'a.sql': '1' })
      const options = remote
        ? { url: `ssh://host${workshop.origin}`, env: { ...process.env, GIT_SSH_COMMAND: workshop.ssh() } }
        : {}
      const before = workshop.open(options)
      await before.readFile('a.sql')
      const inTheWay = SPOILED[_why]?.(workshop.mirror)
      if (inTheWay !== undefined) rmSync(inTheWay, { recursive: true })
      spoil(workshop.mirror)
      for (const repository of [before, workshop.open(options)])
        expect((await repository.readFile('a.sql')).text).toBe('1')
      expect(readdirSync(join(workshop.state, 'repositories'))).toEqual(['books.git'])
    }
  })

  test('when a link stands in its place, or in that of all mirrors, and what it leads to stays as it is', async () => {
    for (const place of ['repositories/books.git', 'repositories']) {
      await using workshop = new Workshop()
      workshop.commit({ 'a.sql': '1' })
      const elsewhere = join(workshop.folder, 'elsewhere')
      mkdirSync(elsewhere)
      writeFileSync(join(elsewhere, 'mine'), '')
      mkdirSync(join(workshop.state, dirname(place)), { recursive: true })
      symlinkSync(elsewhere, join(workshop.state, place))
      expect((await workshop.open().readFile('a.sql')).text).toBe('1')
      expect(readdirSync(elsewhere)).toEqual(['mine'])
      expect(lstatSync(join(workshop.state, place)).isDirectory()).toBe(true)
    }
  })

  test('but stays as it is while there is nothing to make it from', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.sql': '1', 'b.sql': '2' })
    const repository = workshop.open()
    await repository.readFile('a.sql')
    rmSync(loose(workshop.mirror, git(workshop.origin, 'rev-parse', 'HEAD:b.sql')))
    rmSync(workshop.origin, { recursive: true })
    await expect(repository.readFile('b.sql')).rejects.toMatchObject({ code: 'repository-failed' })
    expect((await repository.readFile('a.sql')).text).toBe('1')
  })
})

test('a mirror that cannot be looked at is an error, and is not thrown away', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  const repository = workshop.open()
  await repository.readFile('a.sql')
  const [origin, away] = [join(workshop.mirror, 'runbooks-origin'), join(workshop.folder, 'away')]
  renameSync(origin, away)
  symlinkSync(origin, origin)
  await expect(repository.readFile('a.sql')).rejects.toMatchObject({
    name: 'RunbookError',
    message: expect.stringMatching(/^cannot read the copy of runbook repository books: .*ELOOP/) as string,
  })
  rmSync(origin)
  renameSync(away, origin)
  expect((await repository.readFile('a.sql')).text).toBe('1')
  expect(workshop.fetches).toBe(1)
})

test('a remote whose object format has changed is fetched from scratch', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  const repository = workshop.open()
  await repository.readFile('a.sql')
  await using modern = new Workshop('--object-format=sha256')
  const commit = modern.commit({ 'a.sql': '256' })
  rmSync(workshop.origin, { recursive: true })
  cpSync(modern.origin, workshop.origin, { recursive: true })
  expect(await repository.readFile('a.sql')).toEqual({ text: '256', commit })
  expect(workshop.warnings.map(({ message }) => message)).toEqual([FROM_SCRATCH])
})

test('two gateways on one state folder do not disturb each other', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '0' })
  const gateways = [workshop.open(), workshop.open(), workshop.open()]
  for (let round = 1; round <= 5; round += 1) {
    const files = await Promise.all(gateways.map((gateway) => gateway.readFile('a.sql')))
    expect(files.map(({ text }) => text)).toEqual(Array(3).fill(String(round - 1)))
    workshop.commit({ 'a.sql': String(round) })
  }
})

test('what a crash left behind long ago is removed with the next first fetch', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  const abandoned = `${workshop.mirror}.new-0123456789ab`
  const recent = `${workshop.mirror}.new-ba9876543210`
  mkdirSync(abandoned, { recursive: true })
  mkdirSync(recent)
  utimesSync(abandoned, new Date(0), new Date(0))
  await workshop.open().readFile('a.sql')
  expect([existsSync(abandoned), existsSync(recent)]).toEqual([false, true])
})
