import { signalChild } from '../../../src/basics/signals.ts'
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  rmdirSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  checkControlGroups,
  checkEngine,
  checkOomScore,
  checkProcessOne,
  checkMemory,
  checkOpenFiles,
  checkStopTime,
  milliseconds,
} from '../../../src/commands/doctor/machine.ts'
import {
  Examination,
  broken,
  ok,
  worst,
  type Line,
  humanLine,
  humanSum,
  jsonReport,
} from '../../../src/commands/examination.ts'
import {
  checkKey,
  judgeKeyFile,
  keyPlace,
  checkKeyExposure,
} from '../../../src/commands/doctor/credential.ts'
import { sizeText } from '../../../src/basics/text/units.ts'
import { checkRuntimeFolder, checkStateFolder } from '../../../src/commands/doctor/folders.ts'
import { checkSettings } from '../../../src/commands/doctor/doctor.ts'
import { loadAgentSettings } from '../../../src/config.ts'
import { SmallDisk } from '../../support/machine/small-disk.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const isRoot = process.geteuid?.() === 0
const canMount = isRoot && SmallDisk.permitted()
const MIB = 1024 ** 2

const UNLIMITED = { limitsMemoryBytes: undefined, limitsProcesses: undefined }
/** Where the test itself may have no control groups. */
const standsAlone = (await checkControlGroups(UNLIMITED)).found.startsWith('none')
const MOUNT = /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1] ?? ''
/** The root of all groups, which is writable. */
const canGroup = isRoot && MOUNT !== '' && !existsSync(`${MOUNT}/cgroup.type`) && isInRoot()

describe('an examination', () => {
  it('skips what needs a check that found nothing to build on, and names the first of them', async () => {
    const { examination, lines } = examine()
    const first = await examination.check<string>('first', () => broken('nothing', 'mend it'))
    const second = await examination.checkWith(first, 'second', (fact) => ({ ...ok(fact), fact }))
    await examination.checkWith(second, 'third', ok)
    const free = await examination.check('free', () => ({ ...ok('fine'), fact: 'a fact' }))
    await examination.checkWith(free, 'after it', ok)
    expect(lines.map(({ name, level, found }) => [name, level, found])).toEqual([
      ['first', 'broken', 'nothing'],
      ['second', 'skipped', 'skipped until this check passes: first'],
      ['third', 'skipped', 'skipped until this check passes: first'],
      ['free', 'ok', 'fine'],
      ['after it', 'ok', 'a fact'],
    ])
  })

  it('goes on after a check that throws, and after one that takes too long, whose signal it aborts', async () => {
    const { examination, lines } = examine(50)
    await examination.check('throws', () => {
      throw Object.assign(new Error('no such thing'), { code: 'ENOENT' })
    })
    let aborted = false
    await examination.check('hangs', async (signal) => {
      await delay(60_000, undefined, { signal }).catch(() => (aborted = true))
      return ok('too late')
    })
    await examination.check('last', () => ok('reached'))
    expect(lines.map(({ level, found }) => [level, found])).toEqual([
      ['broken', 'the check itself failed: ENOENT'],
      ['broken', 'no result within 0.05 s'],
      ['ok', 'reached'],
    ])
    await delay(0)
    expect(aborted).toBe(true)
  })
})

describe('the report', () => {
  const line: Line = { name: 'tls', level: 'warning', found: 'CN\u001b[2J ends', advice: 'first\nsecond' }

  it('is a line for each check, with its advice below, without control characters of others', () => {
    expect(humanLine(line, false)).toBe(
      'warning  tls              CN?[2J ends\n         first\n         second\n',
    )
    expect(humanLine(line, true).startsWith('\u001b[33mwarning\u001b[0m  tls')).toBe(true)
  })

  it('has the worst level for programs, and counts for people', () => {
    const lines = [line, { ...line, level: 'ok' }, { ...line, level: 'skipped' }] as const
    expect(JSON.parse(jsonReport(lines, '1.2.3'))).toEqual({
      version: '1.2.3',
      level: 'warning',
      checks: lines,
    })
    expect(humanSum(lines)).toBe('1 ok, 1 warning, 0 broken, 1 skipped\n')
    expect([worst(['ok', 'skipped']), worst(['broken', 'warning']), worst([])]).toEqual([
      'ok',
      'broken',
      'ok',
    ])
  })
})

describe('the settings', () => {
  it('are broken with everything that is wrong, and no value is shown', () => {
    using place = new Workplace()
    const file = place.write('agent.yaml', 'drain: hush-hush\nlimits.sessions: -1\n')
    const { level, advice, fact } = checkSettings(given({ RUNBOOK_AGENT_CONFIG: file }))
    expect([level, fact]).toEqual(['broken', undefined])
    expect(advice?.split('\n')).toHaveLength(3)
    expect(advice).toMatch(/limits\.sessions: [^]*drain: a duration|missing HOOP_KEY/)
    expect(advice).not.toContain('hush')
  })

  it('leave to the checks of the key what those have looked at', () => {
    using place = new Workplace()
    const config = place.write('agent.yaml', '')
    const env = { RUNBOOK_AGENT_CONFIG: config, HOOP_KEY: KEY }
    expect(checkSettings(given(env))).toMatchObject({
      level: 'ok',
      found: `the settings can be used (${config})`,
    })
    const { level, advice } = checkSettings(given({ RUNBOOK_AGENT_CONFIG: config, HOOP_DSN: KEY }))
    expect([level, advice]).toEqual(['warning', 'HOOP_DSN is deprecated: use HOOP_KEY or key-file'])
  })
})

const SECRET = 'xagt-hush-hush'
const KEY = `grpcs://tester:${SECRET}@gateway.example:8443?mode=standard`

describe('the key', () => {
  const found = (env: NodeJS.ProcessEnv, config: string) =>
    checkKey(loadAgentSettings(given({ RUNBOOK_AGENT_CONFIG: config, ...env })))

  it('is told by its form and where it leads, never by its value', () => {
    using place = new Workplace()
    const config = place.write('agent.yaml', '')
    const usual = `grpcs://x:xagt-${'k'.repeat(43)}@gateway.example:8443?mode=embedded`
    expect([found({ HOOP_KEY: KEY }, config).found, found({ HOOP_KEY: usual }, config).found]).toEqual([
      'key of "tester" (standard) to gateway.example:8443, with TLS, from HOOP_KEY, with a secret that hoop did not create',
      'key of "x" (embedded) to gateway.example:8443, with TLS, from HOOP_KEY',
    ])
    const token = { TOKEN: SECRET, HOOP_GRPCURL: 'gateway.example:8443' }
    expect(found(token, config).found).toBe(
      "token in hoop's older form to gateway.example:8443, with TLS, from TOKEN",
    )
    const wrong = found({ HOOP_KEY: `grpcs://tester:${SECRET}@gateway.example` }, config)
    expect(wrong).toMatchObject({
      level: 'broken',
      advice: expect.stringMatching(/the port is missing/) as string,
    })
    expect(wrong.advice).not.toContain(SECRET)
  })

  it('is refused when it would go to another machine in the clear', () => {
    using place = new Workplace()
    const config = place.write('agent.yaml', '')
    const { level, advice } = found({ HOOP_KEY: KEY.replace('grpcs', 'grpc') }, config)
    expect([level, advice]).toEqual([
      'broken',
      expect.stringMatching(/Use grpcs:\/\/, or set allow-plaintext$/),
    ])
  })

  it.each([
    [90, 'ok', 'JWT-SVID valid for 89 more min'],
    [-90, 'broken', 'JWT-SVID that expired 90 min ago'],
    [undefined, 'ok', 'JWT-SVID that does not expire'],
  ] as const)('as a JWT-SVID with %s min to go is %s', (minutes, level, text) => {
    using place = new Workplace()
    const exp = minutes === undefined ? {} : { exp: Date.now() / 1000 + minutes * 60 }
    const claims = Buffer.from(JSON.stringify({ sub: 'spiffe://a/b', ...exp })).toString('base64url')
    const env = {
      HOOP_SPIFFE_KEY_FILE: place.write('svid', `e30.${claims}.c2ln`),
      HOOP_GRPCURL: 'g.example:8443',
    }
    const finding = found(env, place.write('agent.yaml', ''))
    expect(finding).toMatchObject({ level, found: expect.stringContaining(text) as string })
    expect(finding.fact?.identity.address).toBe('g.example:8443')
  })
})

describe('the file of the key', () => {
  it.each([
    [0o600, 'ok', /mode 0600/],
    [0o400, 'ok', /mode 0400/],
    [0o644, 'warning', /other users can read the key/],
    [0o640, 'warning', /other users can read the key/],
    [0o620, 'warning', /other users can write to the file/],
  ] as const)('with mode %i is %s', (mode, level, text) => {
    using place = new Workplace()
    const path = place.write('key', KEY)
    chmodSync(path, mode)
    const finding = judgeKeyFile({ kind: 'file', path }, {})
    expect([finding.level, finding.found]).toEqual([level, expect.stringMatching(text)])
    expect(finding.advice ?? 'chmod 600').toContain('chmod 600')
  })

  it('is not safe in a folder in which others can replace it', () => {
    using place = new Workplace()
    const path = place.write('folder/key', KEY)
    chmodSync(place.at('folder'), 0o777)
    expect(judgeKeyFile({ kind: 'file', path }, {})).toMatchObject({
      level: 'warning',
      advice: `chmod go-w ${place.at('folder')}`,
    })
    // /tmp is like this: nobody can touch what is not theirs.
    chmodSync(place.at('folder'), 0o1777)
    expect(judgeKeyFile({ kind: 'file', path }, {}).level).toBe('ok')
  })

  it('may have the rights that systemd gives its credentials', () => {
    using place = new Workplace()
    const path = place.write('credentials/hoop-key', KEY)
    chmodSync(path, 0o440)
    expect(
      judgeKeyFile({ kind: 'file', path }, { CREDENTIALS_DIRECTORY: place.at('credentials') }).level,
    ).toBe('ok')
  })

  it('is found wherever the settings have the key from', () => {
    using place = new Workplace()
    const RUNBOOK_AGENT_CONFIG = place.write('agent.yaml', '')
    const file = place.write('key', KEY)
    const placeOf = (env: NodeJS.ProcessEnv, kind: 'key' | 'svid' | 'token' = 'key') => {
      const source = given({ RUNBOOK_AGENT_CONFIG, ...env })
      const { key } = loadAgentSettings(source)
      expect(key.kind).toBe(kind)
      return keyPlace(key, source)
    }
    expect(placeOf({ HOOP_KEY: KEY })).toEqual({ kind: 'variable', name: 'HOOP_KEY' })
    expect(placeOf({ HOOP_KEY: KEY, RUNBOOK_AGENT_KEY_FILE: file })).toEqual({ kind: 'file', path: file })
    expect(placeOf({ TOKEN: SECRET, HOOP_GRPCURL: 'a:1' }, 'token')).toEqual({
      kind: 'variable',
      name: 'TOKEN',
    })
    const svid = place.write('svid', 'e30.e30.c2ln')
    expect(placeOf({ HOOP_SPIFFE_KEY_FILE: svid, HOOP_GRPCURL: 'a:1' }, 'svid')).toEqual({
      kind: 'file',
      path: svid,
    })
    const systemd = place.write('credentials/hoop-key', KEY)
    expect(placeOf({ CREDENTIALS_DIRECTORY: place.at('credentials') })).toEqual({
      kind: 'file',
      path: systemd,
    })
    writeFileSync(RUNBOOK_AGENT_CONFIG, `key: ${KEY}\n`)
    expect(placeOf({})).toEqual({ kind: 'file', path: RUNBOOK_AGENT_CONFIG })
    writeFileSync(RUNBOOK_AGENT_CONFIG, 'key: file://key\n')
    expect(placeOf({})).toEqual({ kind: 'file', path: file })
    writeFileSync(RUNBOOK_AGENT_CONFIG, 'key: env://MY_KEY\n')
    expect(placeOf({ MY_KEY: KEY })).toEqual({ kind: 'variable', name: 'MY_KEY' })
    writeFileSync(RUNBOOK_AGENT_CONFIG, 'key-file: key\n')
    expect(placeOf({})).toEqual({ kind: 'file', path: file })
  })
})

describe('the exposure of the key', () => {
  const inVariable = { kind: 'variable', name: 'HOOP_KEY' } as const

  it('is a warning while it is in the environment, and tells whether a command could read it', async () => {
    const open = await checkKeyExposure(inVariable, () => Promise.resolve(true))
    expect(open).toMatchObject({
      level: 'warning',
      found: expect.stringMatching(/a test command could read this/) as string,
    })
    const hidden = await checkKeyExposure(inVariable, () => Promise.resolve(false))
    expect(hidden).toMatchObject({
      level: 'warning',
      found: expect.stringMatching(/a test command could not read this/) as string,
    })
    expect((await checkKeyExposure(inVariable, () => Promise.resolve(undefined))).level).toBe('skipped')
  })

  it('does not try anything when it is in a file', async () => {
    const never = () => Promise.reject(new Error('was tried'))
    const { level, found } = await checkKeyExposure({ kind: 'file', path: '/none/key' }, never)
    expect([level, found]).toEqual([
      isRoot ? 'warning' : 'ok',
      expect.stringMatching(/^the key is not in the environment, /),
    ])
  })
})

describe('the runtime folder', () => {
  it('is a warning on a disk, fine in memory, and looked at where the agent would have it', async () => {
    // The temporary folder may be in memory; this one outlives a start of the machine.
    const disk = mkdtempSync('/var/tmp/runbook-')
    try {
      const onDisk = await checkRuntimeFolder({ runtimeDir: disk }, {})
      expect(onDisk).toMatchObject({
        level: 'warning',
        advice: expect.stringMatching(/are written to the disk/) as string,
      })
      expect(onDisk.found).toMatch(new RegExp(`^${disk} \\(runtime-dir\\), on a disk, \\S+ \\S+ free$`))
    } finally {
      rmSync(disk, { recursive: true })
    }
    using place = new Workplace()
    const systemd = await checkRuntimeFolder(
      { runtimeDir: undefined },
      { RUNTIME_DIRECTORY: `${place.path}:/other` },
    )
    expect(systemd.found).toContain(`${place.path} (RUNTIME_DIRECTORY)`)
  })

  it.skipIf(!canMount)(
    'is fine in memory, and a warning when that is nearly full (needs mount)',
    async () => {
      using large = new SmallDisk('64M')
      expect(await checkRuntimeFolder({ runtimeDir: large.path }, {})).toMatchObject({
        level: 'ok',
        found: `${large.path} (runtime-dir), in memory, 64 MiB free`,
      })
      using small = new SmallDisk('1M')
      expect((await checkRuntimeFolder({ runtimeDir: small.path }, {})).level).toBe('warning')
      small.makeReadOnly()
      expect(await checkRuntimeFolder({ runtimeDir: small.path }, {})).toMatchObject({
        level: 'broken',
        found: expect.stringMatching(/EROFS/) as string,
      })
    },
  )

  it('is a warning where somebody has put something else in its place, and nothing is made', async () => {
    using place = new Workplace()
    const usual = place.write(`runbook-agent-${process.geteuid?.() ?? 0}`, '')
    const before = readdirSync(place.path)
    expect(await checkRuntimeFolder({ runtimeDir: place.path }, {})).toMatchObject({
      level: 'warning',
      found: expect.stringContaining(`${usual} is not a folder, so agents use another folder`) as string,
    })
    expect(readdirSync(place.path)).toEqual(before)
  })

  it('is not made when it is missing, and is broken when it cannot be made', async () => {
    using place = new Workplace()
    const missing = await checkRuntimeFolder({ runtimeDir: place.at('a', 'b') }, {})
    expect(missing.found).toContain(`runtime-dir ${place.at('a', 'b')}, which the agent will create`)
    expect(existsSync(place.at('a'))).toBe(false)
    place.write('file', '')
    const impossible = await checkRuntimeFolder({ runtimeDir: place.at('file', 'b') }, {})
    expect(impossible).toMatchObject({ level: 'broken', found: expect.stringMatching(/ENOTDIR/) as string })
    const relative = await checkRuntimeFolder({ runtimeDir: 'somewhere' }, {})
    expect(relative).toMatchObject({
      level: 'broken',
      found: 'runtime-dir must be an absolute path, but is somewhere',
    })
    expect(existsSync('somewhere')).toBe(false)
  })

  it("is a warning when others can write to the user's part of it, and nothing is left there", async () => {
    using place = new Workplace()
    const users = place.at(`runbook-agent-${process.geteuid?.() ?? 0}`)
    mkdirSync(users, { mode: 0o700 })
    const fine = await checkRuntimeFolder({ runtimeDir: place.path }, {})
    expect(fine.found).toContain(`${users} (runtime-dir)`)
    expect(readdirSync(users)).toEqual([])
    chmodSync(users, 0o777)
    const open = await checkRuntimeFolder({ runtimeDir: place.path }, {})
    expect([open.level, open.found]).toEqual([
      'warning',
      expect.stringMatching(/can be written to by other users, so agents use another folder/),
    ])
  })
})

describe('the state folder', () => {
  it('is fine where it can be made or written, and nothing is left of that', async () => {
    using place = new Workplace()
    const missing = await checkStateFolder({ stateDir: place.at('a', 'b'), journalBytes: 0 })
    expect(missing).toMatchObject({
      level: 'ok',
      found: expect.stringMatching(/b, which the agent will create, /) as string,
    })
    mkdirSync(place.at('a', 'b'), { recursive: true })
    const there = await checkStateFolder({ stateDir: place.at('a', 'b'), journalBytes: 0 })
    expect([there.level, readdirSync(place.at('a', 'b'))]).toEqual(['ok', []])
  })

  it('is broken where a file is in its way', async () => {
    using place = new Workplace()
    place.write('file', '')
    expect(await checkStateFolder({ stateDir: place.at('file', 'b'), journalBytes: 0 })).toMatchObject({
      level: 'broken',
      found: expect.stringMatching(/ENOTDIR/) as string,
    })
  })

  it.skipIf(!canMount)(
    'is a warning without room for the journal, broken when it is read-only (needs mount)',
    async () => {
      using disk = new SmallDisk('10M')
      expect((await checkStateFolder({ stateDir: disk.path, journalBytes: 0 })).level).toBe('ok')
      expect((await checkStateFolder({ stateDir: disk.path, journalBytes: 16 * MIB })).level).toBe('warning')
      disk.makeReadOnly()
      expect((await checkStateFolder({ stateDir: disk.path, journalBytes: 0 })).level).toBe('broken')
    },
  )
})

describe('the machine', () => {
  it('has the engine that the agent would have', async () => {
    const { level, fact, found } = await checkEngine()
    expect([level, fact]).toEqual(found === 'posix' ? ['ok', 'posix'] : ['warning', 'portable'])
  })

  it('has the engine without marks on processes where the limit of file locks is no longer unlimited', () => {
    const script = `import { checkEngine } from './dist/commands/doctor/machine.js'; console.log(JSON.stringify(await checkEngine()))`
    const words = ['-c', 'ulimit -x 1000; exec "$0" --input-type=module -e "$1"', process.execPath, script]
    expect(JSON.parse(spawnSync('bash', words, { encoding: 'utf8' }).stdout)).toMatchObject({
      level: 'warning',
      found: 'posix, but this engine cannot mark processes: prlimit: EINVAL',
      fact: 'posix',
    })
  })

  it('has files enough for the sessions, or says how many they would be enough for', () => {
    expect(checkOpenFiles({ limitsSessions: 1 })).toMatchObject({ level: 'ok' })
    const { level, found, advice } = checkOpenFiles({ limitsSessions: 999_999 })
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    expect([level, found]).toEqual([
      'warning',
      expect.stringContaining(`${limit ?? ''} allowed, 3000064 needed`),
    ])
    expect(advice).toMatch(/LimitNOFILE=.* or lower limits\.sessions to \d+$/)
  })

  it('ends commands first when memory runs out, unless the agent itself has a high score', async () => {
    const child = spawn('sleep', ['1000'])
    const proc = `/proc/${child.pid ?? 0}`
    writeFileSync(`${proc}/oom_score_adj`, '100')
    expect(checkOomScore('posix', proc)).toMatchObject({
      level: 'ok',
      found: expect.stringMatching(/^100 for the agent, 500/) as string,
    })
    expect(checkOomScore('portable', proc).level).toBe('warning')
    writeFileSync(`${proc}/oom_score_adj`, '900')
    expect(checkOomScore('posix', proc).level).toBe('warning')
    signalChild(child, 'SIGKILL')
    await once(child, 'exit')
    expect(checkOomScore('posix', proc).level).toBe('skipped')
  })

  it('has somebody who collects processes without a parent', () => {
    expect(checkProcessOne('posix').level).toBe('ok')
    using place = new Workplace()
    const proc = place.path
    place.write('1/cmdline', 'node\0/opt/runbook-agent/dist/main.js\0start\0--secret\0')
    expect(checkProcessOne('posix', 7, proc)).toMatchObject({
      level: 'ok',
      found: expect.stringMatching(/agent is process 1/) as string,
    })
    expect(checkProcessOne('portable', 7, proc)).toMatchObject({
      level: 'warning',
      advice: expect.stringMatching(/tini/) as string,
    })
    place.write('1/cmdline', '/usr/bin/tini\0--\0node\0')
    expect(checkProcessOne('portable', 7, proc)).toMatchObject({
      level: 'ok',
      found: expect.stringMatching(/^\/usr\/bin\/tini;/) as string,
    })
    expect(checkProcessOne('posix', 7, place.at('none')).level).toBe('skipped')
  })

  it('is a warning when the heap may become larger than the container allows', () => {
    const settings = { tailMemoryBytes: 64 * MIB }
    expect(checkMemory(settings, 512 * MIB, 256 * MIB)).toMatchObject({
      level: 'ok',
      found: '512 MiB limit, the agent may use 416 MiB: heap 256 MiB, tails 64 MiB, rest 96 MiB',
    })
    const { level, advice } = checkMemory(settings, 256 * MIB, 4096 * MIB)
    expect([level, advice]).toEqual(['warning', expect.stringMatching(/--max-old-space-size=64, or lower/)])
    // What libuv says where there is no limit.
    expect(checkMemory(settings, 2 ** 64, 256 * MIB).found).toMatch(/machine, no limit/)
  })

  it.skipIf(!standsAlone)('needs control groups for limits only', async () => {
    expect((await checkControlGroups(UNLIMITED)).level).toBe('ok')
    const { level, advice } = await checkControlGroups({ ...UNLIMITED, limitsMemoryBytes: MIB })
    expect([level, advice]).toEqual(['broken', expect.stringMatching(/Delegate=yes/)])
  })

  it.skipIf(!canGroup)(
    'can have control groups below one that is its own (needs a writable cgroup v2)',
    async () => {
      const own = `${MOUNT}/test-${randomUUID()}`
      mkdirSync(own)
      writeFileSync(`${own}/cgroup.procs`, String(process.pid))
      try {
        const { level, found } = await checkControlGroups(UNLIMITED)
        expect([level, found]).toEqual([
          'ok',
          expect.stringMatching(new RegExp(`^${own} is delegated, with`)),
        ])
        expect(readdirSync(own, { withFileTypes: true }).filter((entry) => entry.isDirectory())).toEqual([])
      } finally {
        writeFileSync(`${MOUNT}/cgroup.procs`, String(process.pid))
        rmdirSync(own)
      }
    },
  )
})

describe('the time to stop', () => {
  it('is compared with what systemd gives the unit', async () => {
    using place = new Workplace()
    systemctl(place, 'echo LoadState=loaded; echo TimeoutStopUSec=2min')
    expect(await checkStopTime({ drainMs: 60_000, killGraceMs: 10_000 })).toMatchObject({
      level: 'ok',
      found: expect.stringContaining('TimeoutStopSec=2min, but a stop takes up to 99.1 s') as string,
    })
    expect(await checkStopTime({ drainMs: 120_000, killGraceMs: 10_000 })).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining('set TimeoutStopSec=160') as string,
    })
  })

  it.each([
    ['no unit', 'echo LoadState=not-found; echo TimeoutStopUSec=infinity', /^systemd knows no unit /],
    ['no systemd', 'echo cannot operate >&2; exit 1', /^systemd does not answer$/],
  ])('is not known with %s', async (_, script, text) => {
    using place = new Workplace()
    systemctl(place, script)
    const { level, found } = await checkStopTime({ drainMs: 0, killGraceMs: 0 })
    expect([level, found]).toEqual(['skipped', expect.stringMatching(text)])
  })

  it('is not known without systemctl', async () => {
    using place = new Workplace()
    inPath(place.at('home'))
    expect(await checkStopTime({ drainMs: 0, killGraceMs: 0 })).toEqual({
      level: 'skipped',
      found: 'systemctl not found',
    })
  })

  it("is read in systemd's own units", () => {
    expect(['90s', '1min 30s', '2h 1.5s', '500ms', 'infinity', '1fortnight', ''].map(milliseconds)).toEqual([
      90_000,
      90_000,
      7_201_500,
      500,
      Infinity,
      Infinity,
      Infinity,
    ])
  })
})

it('a size is told in three digits or so', () => {
  expect([0, 1023, 1024, 1.5 * MIB, 700 * MIB, 24 * 1024 * MIB, 5e14].map(sizeText)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 MiB',
    '700 MiB',
    '24 GiB',
    '455 TiB',
  ])
})

function examine(deadlineMs?: number) {
  const lines: Line[] = []
  return { lines, examination: new Examination((line) => lines.push(line), deadlineMs) }
}

/** With no variable of the test's own environment. */
function given(env: NodeJS.ProcessEnv) {
  return { flags: {}, env, stderrIsTty: false }
}

/** A program of this name and text, the only one in PATH besides a shell. */
function systemctl(place: Workplace, script: string): void {
  chmodSync(place.write('bin/systemctl', `#!/bin/sh\n${script}\n`), 0o755)
  inPath(place.at('bin'))
}

function inPath(folder: string): void {
  const before = process.env['PATH']
  process.env['PATH'] = folder
  onTestFinished(() => void (process.env['PATH'] = before))
}

function isInRoot(): boolean {
  try {
    return readFileSync(`${MOUNT}/cgroup.procs`, 'utf8').split('\n').includes(String(process.pid))
  } catch {
    return false
  }
}
