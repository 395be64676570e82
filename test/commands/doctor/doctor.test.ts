import { tmpdir } from 'node:os'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Level, Line } from '../../../src/commands/examination.ts'
import { Gate } from '../../support/gate.ts'
import { descendantsOf, isAlive } from '../../support/machine/processes.ts'
import { main, Program, runProgram } from '../../support/sites/program.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

// The built program, as people and programs call it.

const SECRET = 'xagt-hush-0123456789-hush'
const NOBODY = { uid: 65_534, gid: 65_534 }
const isRoot = process.geteuid?.() === 0
/** A checkout, and a temporary folder, need not be open to other users. */
const runsForNobody =
  isRoot &&
  spawnSync('test', ['-x', tmpdir()], { ...NOBODY, cwd: '/' }).status === 0 &&
  spawnSync(process.execPath, [main, 'version'], { ...NOBODY, cwd: '/' }).status === 0

const NAMES = [
  ...['version', 'settings', 'key', 'key file', 'key exposure'],
  ...['name resolution', 'tcp', 'proxy', 'tls', 'http/2', 'health check', 'clock', 'sign-in'],
  ...['runtime folder', 'state folder', 'policy', 'masking', 'redaction'],
  ...['engine', 'command', 'terminal', 'process cleanup'],
  ...['control groups', 'open files', 'oom score', 'process 1', 'memory', 'stop time'],
]

interface Report {
  readonly level: Level
  readonly checks: readonly Line[]
}

describe('runbook-agent doctor', () => {
  it('prints one JSON document for programs, the same lines for people, and never the key, runs real commands, and leaves nothing behind', async () => {
    using place = new Workplace()
    await using gateway = await ScriptedGateway.start()
    const flags = ['--key-file', keyFile(place, gateway.port)]
    const before = filesIn(place)
    const json = await runProgram(place, ['doctor', '--json', ...flags])
    expect(json.stderr).toBe('')
    const report = JSON.parse(json.stdout) as Report
    expect(report.checks.map(({ name }) => name)).toEqual(NAMES)
    const human = await runProgram(place, ['doctor', ...flags])
    for (const { name, level, found } of report.checks.filter((one) => one.name !== 'health check'))
      if (!/\d/.test(found))
        expect(human.stdout).toContain(`${level.padEnd(7)}  ${name.padEnd(15)}  ${found}\n`)
    expect(human.stdout).toMatch(/\n\n\d+ ok, \d+ warning, 0 broken, \d+ skipped\n$/)
    expect([human.code, human.stdout.includes('\u001b')]).toEqual([json.code, false])
    expect(json.stdout + human.stdout).not.toContain(SECRET)
    expect(levels(report.checks)).toMatchObject({
      ...{ command: 'ok', terminal: 'ok', 'process cleanup': 'ok', 'health check': 'ok' },
    })
    expect([gateway.metadata, gateway.received]).toEqual([[], []])
    expect(gateway.healthChecks).toBeGreaterThan(0)
    expect(filesIn(place)).toEqual(before)
  })

  it('exits with 1 after warnings: a key file that everybody may read', async () => {
    using place = new Workplace()
    await using gateway = await ScriptedGateway.start()
    const file = keyFile(place, gateway.port)
    chmodSync(file, 0o644)
    const { code, checks, level } = await examined(place, ['--key-file', file])
    expect([code, level]).toEqual([1, 'warning'])
    expect(lineOf(checks, 'key file')).toMatchObject({
      level: 'warning',
      found: expect.stringContaining(`${file}, mode 0644`) as string,
      advice: expect.stringContaining(`chmod 600 ${file}`) as string,
    })
    expect(lineOf(checks, 'runtime folder').found).toContain(place.at('runtime'))
    expect(lineOf(checks, 'state folder').found).toContain(place.at('agent-state'))
  })

  it('exits with 2 when something is broken, and checks everything else all the same', async () => {
    using place = new Workplace()
    const env = { HOOP_KEY: `grpcs://tester:${SECRET}@gateway.invalid:8443`, RUNBOOK_AGENT_DRAIN: 'soon' }
    const { code, checks, stdout } = await examined(place, [], env)
    expect(code).toBe(2)
    expect(lineOf(checks, 'settings')).toMatchObject({
      level: 'broken',
      advice: expect.stringContaining('RUNBOOK_AGENT_DRAIN drain: a duration') as string,
    })
    expect(levels(checks)).toMatchObject({
      ...{ key: 'skipped', tcp: 'skipped', 'runtime folder': 'skipped', memory: 'skipped' },
      ...{ engine: 'ok', command: 'ok', terminal: 'ok', 'process cleanup': 'ok' },
    })
    const unknown = await examined(place, ['--drain', '1s'], env)
    expect([unknown.code, levels(unknown.checks)]).toEqual([
      2,
      expect.objectContaining({ settings: 'ok', key: 'ok', 'name resolution': 'broken', tcp: 'skipped' }),
    ])
    expect(stdout + unknown.stdout).not.toContain(SECRET)
  })

  it('tries whether commands can read the key in the environment', async () => {
    using place = new Workplace()
    await using gateway = await ScriptedGateway.start()
    const { checks } = await examined(place, [], { HOOP_KEY: keyOf(gateway.port) })
    expect(lineOf(checks, 'key exposure')).toMatchObject({
      level: 'warning',
      found: expect.stringContaining(isRoot ? 'a test command could read' : 'could not read') as string,
    })
  })

  it.skipIf(!runsForNobody)('exits with 0 when all is well (needs a user who is not root)', async () => {
    const place = new Workplace()
    const memory = mkdtempSync('/dev/shm/doctor-')
    try {
      await using gateway = await ScriptedGateway.start()
      const file = keyFile(place, gateway.port)
      for (const own of [memory, place.path, place.at('home'), file]) chownSync(own, NOBODY.uid, NOBODY.gid)
      const env = { ...place.env, RUNTIME_DIRECTORY: memory }
      const well = await asNobody(place, env, ['--key-file', file])
      expect([well.code, well.report.level]).toEqual([0, 'ok'])
      expect(lineOf(well.report.checks, 'runtime folder').level).toBe('ok')
      const warned = await asNobody(place, { ...env, HOOP_KEY: keyOf(gateway.port) }, [])
      expect(warned.code).toBe(1)
      expect(lineOf(warned.report.checks, 'key exposure').found).toContain(
        'a test command could not read this environment in /proc',
      )
    } finally {
      rmSync(memory, { recursive: true })
      place[Symbol.dispose]()
    }
  })

  it('stops when it is told to, and its commands with it', async () => {
    using place = new Workplace()
    await using gateway = await ScriptedGateway.start()
    const flags = ['--key-file', keyFile(place, gateway.port)]
    await using program = new Program(place, ['doctor', ...flags])
    await program.says('stdout', /engine/)
    const below = descendantsOf(program.pid)
    expect(below.length).toBeGreaterThan(0)
    program.signal('SIGTERM')
    expect((await program.ended()).signal).toBe('SIGTERM')
    await waitFor(() => !below.some(isAlive))
  })

  it('has a process of its own for commands, which is for nobody else', async () => {
    using place = new Workplace()
    const { code, stderr } = await runProgram(place, ['doctor-trial'])
    expect([code, stderr]).toEqual([64, 'runbook-agent: only doctor may start doctor-trial\n'])
    expect((await runProgram(place, ['--help'])).stdout).not.toContain('doctor-trial')
  })
})

describe('runbook-agent doctor beside an agent that runs', () => {
  it('finds everything in order while a session goes on undisturbed', async () => {
    await using site = await Site.start({
      connections: [{ name: 'secret', command: ['bash'], files: { TOKEN: './token' } }],
      files: { token: 'a secret in a file' },
    })
    using gate = new Gate(site.place)
    const running = site.rest.script('secret', `${gate.script} wc -c < "$TOKEN"`)
    await gate.reached()
    const during = filesIn(site.place)
    const { code, checks } = await examined(site.place, ['--key-file', 'agent.credential'], {
      RUNBOOK_AGENT_RUNTIME_DIR: site.place.at('runtime'),
    })
    expect([code, levels(checks)]).toEqual([
      1,
      expect.objectContaining({ 'health check': 'ok', clock: 'ok' }),
    ])
    expect(checks.filter(({ level }) => level === 'broken')).toEqual([])
    expect(filesIn(site.place)).toEqual(during)
    gate.open()
    expect((await running).body).toMatchObject({ exit_code: 0, output: '18\n' })
    expect(site.agent.stderr.match(/agent serving/g)).toHaveLength(1)
    expect(site.agent.stderr).not.toMatch(/agent waiting/)
    expect((await site.agent.stop()).code).toBe(0)
  })
})

function keyOf(port: number): string {
  return `grpc://tester:${SECRET}@127.0.0.1:${port}?mode=standard`
}

function keyFile(place: Workplace, port: number): string {
  return place.write('key', `${keyOf(port)}\n`)
}

async function examined(
  place: Workplace,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Report & { readonly code: number | null; readonly stdout: string }> {
  const { code, stdout, stderr } = await runProgram(place, ['doctor', '--json', ...flags], env)
  expect(stderr).toBe('')
  return { ...(JSON.parse(stdout) as Report), code, stdout }
}

async function asNobody(place: Workplace, env: NodeJS.ProcessEnv, flags: readonly string[]) {
  const options = { ...NOBODY, cwd: place.path, env }
  const child = spawn(process.execPath, [main, 'doctor', '--json', ...flags], options)
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const report = JSON.parse(await text(child.stdout)) as Report
  return { code: await exited, report }
}

function lineOf(checks: readonly Line[], wanted: string): Line {
  const line = checks.find(({ name }) => name === wanted)
  if (line === undefined) throw new Error(`no line ${wanted}`)
  return line
}

function levels(checks: readonly Line[]): Readonly<Record<string, Level>> {
  return Object.fromEntries(checks.map(({ name, level }) => [name, level]))
}

/** All that lies in a workplace, the gateway's own files left out: it may write at any time. */
function filesIn(place: Workplace): string[] {
  const all = readdirSync(place.path, { recursive: true }).map(String)
  return all.filter((name) => !/^(state|gate|books)(\/|$)/.test(name)).sort()
}
