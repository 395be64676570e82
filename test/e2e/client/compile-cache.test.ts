import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { SmallDisk } from '../../support/machine/small-disk.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'

/** Nobody listens there. */
const NOWHERE = { HOOP_APIURL: 'http://127.0.0.1:1', HOOP_GRPCURL: 'grpc://127.0.0.1:1', HOOP_TOKEN: 'none' }
const hasCache = 'enableCompileCache' in process.getBuiltinModule('node:module')
const needsCache = hasCache ? '' : ' (skipped: Node 20 has no compile cache)'
const isRoot = process.geteuid?.() === 0

/** A home as people have it: some have a umask with which a new folder is open to their group. */
function workplace(): Workplace {
  const place = new Workplace()
  for (const folder of [place.path, place.at('home')]) chmodSync(folder, 0o755)
  return place
}

const cacheOf = (place: Workplace) => place.at('home', '.cache', 'runbook-agent', 'compiled')

/** Whatever lies there, with the time of its last change. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${name} ${statSync(path.join(parentPath, name)).mtimeMs}`)
    .toSorted()
}

/** `sessions` says what it says without a cache. */
async function expectNoDifference(
  place: Workplace,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const plain = await runProgram(place, ['sessions'], { ...NOWHERE, NODE_DISABLE_COMPILE_CACHE: '1' })
  expect(plain).toMatchObject({ code: 69, stderr: expect.stringContaining('cannot be reached') as string })
  expect(await runProgram(place, ['sessions'], { ...NOWHERE, ...env })).toEqual(plain)
}

describe.skipIf(!hasCache)(`the compiled code of commands${needsCache}`, () => {
  it.each([...['sessions', 'connect sh', 'exec sh -i true', 'run sh report.runbook.sh']])(
    'of %s is kept below ~/.cache, for its user alone, and used the next time',
    async (line) => {
      using place = workplace()
      const first = await runProgram(place, line.split(' '), NOWHERE)
      const kept = filesIn(cacheOf(place))
      expect(kept.length).toBeGreaterThan(10)
      for (let at = cacheOf(place); at !== place.at('home'); at = path.dirname(at))
        expect(statSync(at).mode & 0o777).toBe(0o700)
      expect(await runProgram(place, line.split(' '), NOWHERE)).toEqual(first)
      // What cannot be used is written anew.
      expect(filesIn(cacheOf(place))).toEqual(kept)
    },
  )

  it.each([
    ...['start --key-file missing', '--key-file missing', 'gateway --config missing', 'dev --http nonsense'],
    ...['doctor --key-file missing', 'status', 'config print', 'service print', '--help', 'version'],
    ...['exec --local sh -i true -- sh', 'run --local sh missing.runbook.sh -- sh'],
  ])(
    'of %s is not: it does the work of an agent or gateway, or looks after one, or loads little',
    async (line) => {
      using place = workplace()
      await runProgram(place, line.split(' '), NOWHERE)
      expect(existsSync(place.at('home', '.cache'))).toBe(false)
    },
  )

  it('lies in XDG_CACHE_HOME where that is set', async () => {
    using place = workplace()
    await expectNoDifference(place, { XDG_CACHE_HOME: place.at('home') })
    expect(filesIn(place.at('home', 'runbook-agent', 'compiled'))).not.toEqual([])
    expect(existsSync(place.at('home', '.cache'))).toBe(false)
  })

  it.each(['SUDO_USER', 'DOAS_USER'])(
    'is neither kept nor used for %s, who is somebody else',
    async (name) => {
      using place = workplace()
      await expectNoDifference(place, { [name]: 'ada' })
      expect(readdirSync(place.at('home'))).toEqual([])
    },
  )

  it('lies where NODE_COMPILE_CACHE says, and nowhere without a home', async () => {
    using place = workplace()
    await expectNoDifference(place, { NODE_COMPILE_CACHE: place.at('own') })
    expect(filesIn(place.at('own'))).not.toEqual([])
    await expectNoDifference(place, { HOME: '' })
    await expectNoDifference(place, { HOME: place.at('missing') })
    await expectNoDifference(place, { HOME: 'home' })
    expect(readdirSync(place.at('home'))).toEqual([])
    expect(existsSync(place.at('missing'))).toBe(false)
  })

  it.each([
    ['..', 0o777],
    ['', 0o777],
    ['.cache', 0o775],
    ['.cache/runbook-agent', 0o777],
    ['.cache/runbook-agent/compiled', 0o755],
  ])(
    'is neither kept nor used when others can write to ~/%s, or look into the last of these',
    async (name, mode) => {
      using place = workplace()
      mkdirSync(cacheOf(place), { recursive: true, mode: 0o700 })
      chmodSync(place.at('home', name), mode)
      await expectNoDifference(place)
      expect(filesIn(cacheOf(place))).toEqual([])
    },
  )

  it.each(['.cache', '.cache/runbook-agent', '.cache/runbook-agent/compiled'])(
    'is neither kept nor used when ~/%s is a link',
    async (name) => {
      using place = workplace()
      mkdirSync(place.at('home', path.dirname(name)), { recursive: true, mode: 0o700 })
      mkdirSync(place.at('elsewhere'), { mode: 0o700 })
      symlinkSync(place.at('elsewhere'), place.at('home', name))
      await expectNoDifference(place)
      expect(readdirSync(place.at('elsewhere'))).toEqual([])
    },
  )

  it.skipIf(!isRoot).each(['..', '', '.cache', '.cache/runbook-agent', '.cache/runbook-agent/compiled'])(
    `is neither kept nor used when ~/%s belongs to somebody else${isRoot ? '' : ' (skipped: needs root)'}`,
    async (name) => {
      using place = workplace()
      mkdirSync(cacheOf(place), { recursive: true, mode: 0o700 })
      chownSync(place.at('home', name), 65_534, 65_534)
      await expectNoDifference(place)
      expect(filesIn(cacheOf(place))).toEqual([])
    },
  )

  it('is thrown away when it has grown to more than 2000 files', async () => {
    using place = workplace()
    const older = path.join(cacheOf(place), 'v22.1.0')
    mkdirSync(older, { recursive: true, mode: 0o700 })
    for (let n = 0; n <= 2000; n++) writeFileSync(path.join(older, `old-${n}`), '')
    await expectNoDifference(place)
    const kept = filesIn(cacheOf(place))
    expect(kept.length).toBeGreaterThan(10)
    expect(kept.filter((name) => name.startsWith('old-'))).toEqual([])
  })

  const mayMount = SmallDisk.permitted()
  it.skipIf(!mayMount)(
    `changes nothing that a command says on a full or a read-only disk${mayMount ? '' : ' (skipped: needs the right to mount)'}`,
    async () => {
      using place = workplace()
      using disk = new SmallDisk('64k')
      disk.fill()
      await expectNoDifference(place, { HOME: disk.path })
      disk.makeReadOnly()
      await expectNoDifference(place, { HOME: disk.path })
      await expectNoDifference(place, { XDG_CACHE_HOME: disk.path })
    },
  )
})

it.skipIf(hasCache)(
  `Node 20 keeps no compiled code${hasCache ? ' (skipped: this Node does)' : ''}`,
  async () => {
    using place = workplace()
    await expectNoDifference(place)
    expect(readdirSync(place.at('home'))).toEqual([])
  },
)
