import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Catalog } from '../../../src/gateway/runbooks/catalog.ts'
import { mirrorEnvironment } from '../../../src/gateway/runbooks/git/environment.ts'
import { RunbookError } from '../../../src/gateway/refusals/runbook-errors.ts'
import { ObjectReader } from '../../../src/gateway/runbooks/git/objects.ts'
import { LISTING_LIMITS } from '../../../src/gateway/runbooks/git/walk.ts'
import { Workshop, git } from './workshop.ts'

const paths = (listing: { runbooks: readonly { path: string }[] }) => listing.runbooks.map(({ path }) => path)

describe('listing runbooks', () => {
  test('finds the files with .runbook. in their names, in the order of their paths, with their commit', async () => {
    await using workshop = new Workshop()
    const commit = workshop.commit({
      'b.runbook.sql': 'select 1',
      'a/z.runbook.sh': 'echo {{ .name | required "who?" | description "a person" }}',
      'a/deep/er/x.runbook.py': '',
      'a/plain.sh': 'no',
      'a.runbook.d/plain.sh': 'no',
      'runbook.sh': 'no',
      'ä ö.runbook.sh': 'echo',
    })
    const listing = await workshop.open().list([''])
    expect(listing).toMatchObject({ commit, author: 'a <a@example.org>', message: 'change\n', isCut: false })
    expect(paths(listing)).toEqual([
      'a/deep/er/x.runbook.py',
      'a/z.runbook.sh',
      'b.runbook.sql',
      'ä ö.runbook.sh',
    ])
    expect(listing.runbooks[1]?.inputs).toEqual([
      { name: 'name', type: 'text', optional: false, required: 'who?', description: 'a person' },
    ])
  })

  test.each<[string[], string[]]>([
    [['ops'], ['ops/a.runbook.sh', 'ops/sub/b.runbook.sh']],
    [['ops/'], ['ops/a.runbook.sh', 'ops/sub/b.runbook.sh']],
    [
      ['ops/sub', 'ops'],
      ['ops/a.runbook.sh', 'ops/sub/b.runbook.sh'],
    ],
    [
      ['ops/sub/', 'opsx'],
      ['ops/sub/b.runbook.sh', 'opsx/c.runbook.sh'],
    ],
    [
      ['ops/sub', '', 'opsx'],
      ['ops/a.runbook.sh', 'ops/sub/b.runbook.sh', 'opsx/c.runbook.sh'],
    ],
    [['none', 'ops/none', 'ops/a.runbook.sh'], []],
    [['..', '.', 'ops/..', '/'], []],
    [['link'], []],
    [[], []],
  ])('in %j finds what lies there and nothing beside', async (folders, expected) => {
    await using workshop = new Workshop()
    workshop.commit({ 'ops/a.runbook.sh': '', 'ops/sub/b.runbook.sh': '', 'opsx/c.runbook.sh': '' })
    symlinkSync('ops', join(workshop.origin, 'link'))
    workshop.commit({})
    expect(paths(await workshop.open().list(folders))).toEqual(expected)
  })

  test('passes over links, submodules and names that nobody could ask for', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'good.runbook.sh': '', 'bad\nname.runbook.sh': '', 'dir\n/x.runbook.sh': '' })
    symlinkSync('good.runbook.sh', join(workshop.origin, 'link.runbook.sh'))
    const latin1 = Buffer.from('\xff.runbook.sh', 'latin1')
    symlinkSync('good.runbook.sh', Buffer.concat([Buffer.from(`${workshop.origin}/`), latin1]))
    const commit = workshop.commit({})
    git(workshop.origin, 'update-index', '--add', '--cacheinfo', `160000,${commit},sub.runbook.sh`)
    git(workshop.origin, 'commit', '--quiet', '--message=submodule')
    expect(paths(await workshop.open().list(['']))).toEqual(['good.runbook.sh'])
  })

  test('says of each file that cannot be run why, and lists the others', async () => {
    await using workshop = new Workshop()
    workshop.commit({
      'a.runbook.sh': 'echo {{ .x }}',
      'binary.runbook.sh': Buffer.from([0x65, 0xff]),
      'broken.runbook.sh': 'echo {{ .x | nonsense }}',
      'huge.runbook.sh': Buffer.alloc(1_000_001, 'x'),
      'twin.runbook.sh': Buffer.alloc(1_000_001, 'x'),
    })
    const { runbooks } = await workshop.open().list([''])
    expect(runbooks.map(({ path, error }) => [path, error])).toEqual([
      ['a.runbook.sh', undefined],
      ['binary.runbook.sh', 'runbook file binary.runbook.sh is not valid UTF-8 text'],
      ['broken.runbook.sh', expect.stringMatching(/^template parse error: .*"nonsense" not defined/)],
      ['huge.runbook.sh', 'max template size [1000 KB] reached for huge.runbook.sh'],
      ['twin.runbook.sh', 'max template size [1000 KB] reached for twin.runbook.sh'],
    ])
  })

  test('sees a commit at the very next listing, and reads what has not changed only once', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.runbook.sh': 'echo {{ .x }}', 'b.runbook.sh': 'echo {{ .z }}' })
    const repository = workshop.open()
    const [first, again] = await Promise.all([repository.list(['']), repository.list([''])])
    expect(again.runbooks[0]).toBe(first.runbooks[0])
    const commit = workshop.commit({ 'c.runbook.sh': 'echo {{ .y }}' })
    const next = await repository.list([''])
    expect(next.commit).toBe(commit)
    for (const i of [0, 1]) expect(next.runbooks[i]?.inputs).toBe(first.runbooks[i]?.inputs)
    expect(paths(next)).toEqual(['a.runbook.sh', 'b.runbook.sh', 'c.runbook.sh'])
  })

  test('makes a broken copy anew', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.runbook.sh': 'echo' })
    const repository = workshop.open()
    await repository.readFile('a.runbook.sh')
    rmSync(join(workshop.state, 'repositories/books.git/objects'), { recursive: true })
    expect(paths(await repository.list(['']))).toEqual(['a.runbook.sh'])
  })

  test('of a repository that is not there fails with the reason', async () => {
    await using workshop = new Workshop()
    const repository = workshop.open({ url: join(workshop.folder, 'nothing') })
    await expect(repository.list([''])).rejects.toThrow(RunbookError)
  })
})

test('a listing that failed is not in vain: the next one reads only what that one had not', async () => {
  await using workshop = new Workshop()
  const names = [...Array(50).keys()].map((i) => `${String(i).padStart(2, '0')}.runbook.sh`)
  const commit = workshop.commit(Object.fromEntries(names.map((name) => [name, `echo ${name}`])))
  const [root, last] = ['HEAD^{tree}', 'HEAD:49.runbook.sh'].map((name) =>
    git(workshop.origin, 'rev-parse', name),
  )
  const file = join(workshop.origin, '.git/objects', `${last?.slice(0, 2)}/${last?.slice(2)}`)
  renameSync(file, `${file}.away`)
  const objects = new CountingReader({
    gitDir: join(workshop.origin, '.git'),
    env: mirrorEnvironment(process.env),
  })
  try {
    const catalog = new Catalog(objects)
    await expect(catalog.list(commit, [''])).rejects.toThrow('the content of runbook file 49.runbook.sh')
    renameSync(`${file}.away`, file)
    objects.names.length = 0
    expect(paths(await catalog.list(commit, ['']))).toEqual(names)
    expect(objects.names).toEqual([commit, root, last])
  } finally {
    await objects.close()
  }
})

class CountingReader extends ObjectReader {
  readonly names: string[] = []

  override read(name: string, maxBytes: number): ReturnType<ObjectReader['read']> {
    this.names.push(name)
    return super.read(name, maxBytes)
  }
}

describe('a repository that is too large', () => {
  async function listing(
    workshop: Workshop,
    limits: Partial<typeof LISTING_LIMITS>,
    watch: (objects: ObjectReader) => void = () => undefined,
  ) {
    const commit = git(workshop.origin, 'rev-parse', 'HEAD')
    const objects = new ObjectReader({
      gitDir: join(workshop.origin, '.git'),
      env: mirrorEnvironment(process.env),
    })
    watch(objects)
    try {
      return await new Catalog(objects, { ...LISTING_LIMITS, ...limits }).list(commit, [''])
    } finally {
      await objects.close()
    }
  }

  test('is listed up to a number of runbooks, and says that there are more', async () => {
    await using workshop = new Workshop()
    workshop.commit(Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}/x.runbook.sh`, ''])))
    const cut = await listing(workshop, { files: 3 })
    expect([paths(cut), cut.isCut]).toEqual([['a/x.runbook.sh', 'b/x.runbook.sh', 'c/x.runbook.sh'], true])
    expect((await listing(workshop, { files: 5 })).isCut).toBe(false)
  })

  test('is listed up to a number of folders: one tree may stand in many places', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'x/x/x.runbook.sh': '' })
    const { runbooks, isCut } = await listing(workshop, { folders: 2 })
    expect([runbooks, isCut]).toEqual([[], true])
    expect((await listing(workshop, { folders: 3 })).isCut).toBe(false)
  })

  test('is listed without its folders that no request can name', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'a.runbook.sh': '', 'x\u0001/x.runbook.sh': '' })
    const { runbooks, isCut } = await listing(workshop, { folders: 1 })
    expect([runbooks.length, isCut]).toEqual([1, false])
  })

  test('is listed up to so many bytes', async () => {
    await using workshop = new Workshop()
    const names = [...Array(40).keys()].map((i) => String(i).padStart(2, '0'))
    workshop.commit(
      Object.fromEntries(names.map((name) => [`${name}.runbook.sh`, Buffer.alloc(999_990, `${name}\n`)])),
    )
    const { runbooks, isCut } = await listing(workshop, {})
    expect([runbooks.length, isCut]).toEqual([34, true])
  })

  test('is read hardly further than it is listed', async () => {
    await using workshop = new Workshop()
    const file = Buffer.alloc(999_990, 'x\n')
    const names = Array.from({ length: 100 }, (_, at) => `${at}.runbook.sh`)
    workshop.commit(Object.fromEntries(names.map((name) => [name, file])))
    let reads = 0
    const count = (objects: ObjectReader) => {
      const read = objects.read.bind(objects)
      objects.read = (...asked) => {
        reads += 1
        return read(...asked)
      }
    }
    const { runbooks } = await listing(workshop, {}, count)
    // The 32 files that were being read when the last one was listed, and the objects of commit and tree.
    expect([runbooks.length, reads < 34 + 32 + 5]).toEqual([34, true])
  })

  test('is given up when it takes too long', async () => {
    await using workshop = new Workshop()
    workshop.commit({ 'x.runbook.sh': '' })
    await expect(listing(workshop, { ms: -1 })).rejects.toThrow('listing the runbooks took longer')
  })
})
