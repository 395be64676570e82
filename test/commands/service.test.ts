import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '../../src/commands/exit-codes.ts'
import { service } from '../../src/commands/program/agent.ts'
import { serviceCommand, type ServiceAction, type ServiceFlags } from '../../src/commands/service/service.ts'
import { settingsOf } from '../support/settings.ts'
import { isOurs, renderUnit, type ServicePlace, thisPlace } from '../../src/commands/service/unit.ts'

const template = path.resolve(import.meta.dirname, '../../systemd/runbook-agent.service')
const gatewayTemplate = path.resolve(import.meta.dirname, '../../systemd/runbook-gateway.service')
const KEY = 'grpcs://local:the-secret-of-this-test@gateway.example.com:443?mode=standard'
const HAS_ANALYZE = spawnSync('systemd-analyze', ['--version']).status === 0

let folder: string
const before = {
  HOME: process.env['HOME'],
  PATH: process.env['PATH'],
  XDG_CONFIG_HOME: process.env['XDG_CONFIG_HOME'],
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'service-'))
  process.env['HOME'] = at('home')
  Reflect.deleteProperty(process.env, 'XDG_CONFIG_HOME')
  for (const name of ['home', 'bin', 'system', 'linger', 'etc']) mkdirSync(at(name))
  fake('systemctl', 'exit 0')
  fake('id', 'exit 0')
  process.env['PATH'] = `${at('bin')}:${process.env['PATH'] ?? ''}`
  for (const file of ['node', 'main.js']) writeFileSync(at(file), '', { mode: 0o755 })
  writeFileSync(at('etc/hoop-key'), KEY, { mode: 0o600 })
  mkdirSync(at('home/.config/runbook-agent'), { recursive: true })
  writeFileSync(at('home/.config/runbook-agent/hoop-key'), KEY, { mode: 0o600 })
})
afterEach(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
  rmSync(folder, { recursive: true })
})

function at(name: string): string {
  return path.join(folder, name)
}

/** A program that notes how it was called. */
function fake(name: string, script: string): void {
  writeFileSync(at(`bin/${name}`), `#!/bin/sh\necho "${name} $*" >> '${at('calls')}'\n${script}\n`, {
    mode: 0o755,
  })
}

function calls(): string[] {
  return existsSync(at('calls')) ? readFileSync(at('calls'), 'utf8').trimEnd().split('\n') : []
}

/** This machine as it were if everything lay in the test's folder. */
function place(rest: Partial<ServicePlace> = {}): ServicePlace {
  return {
    ...thisPlace(),
    template,
    node: at('node'),
    main: at('main.js'),
    uid: 0,
    user: 'joe',
    systemUnits: at('system'),
    systemConfig: at('etc'),
    lingering: at('linger'),
    ...rest,
  }
}

async function run(
  action: ServiceAction,
  flags: ServiceFlags = {},
  rest: Partial<ServicePlace> = {},
): Promise<string[]> {
  let said = ''
  await serviceCommand(action, flags, place(rest), (text) => (said += text))
  return said.trimEnd().split('\n')
}

async function failure(
  action: ServiceAction,
  flags: ServiceFlags = {},
  rest: Partial<ServicePlace> = {},
): Promise<Failure> {
  const error: unknown = await run(action, flags, rest).catch((error: unknown) => error)
  if (error instanceof Failure) return error
  throw new Error(`did not fail: ${String(error)}`)
}

/** What systemd-analyze says of a unit. @param unit where it is put */
function verified(unit: string, lines: readonly string[], forUser: boolean): [number | null, string] {
  writeFileSync(unit, `${lines.join('\n')}\n`)
  const words = [forUser ? '--user' : '--system', 'verify', unit]
  const env = { ...process.env, XDG_RUNTIME_DIR: folder }
  const { status, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8', env })
  return [status, stderr]
}

const systemUnit = () => at('system/runbook-agent.service')
const userUnit = () => at('home/.config/systemd/user/runbook-agent.service')

describe('install', () => {
  test('writes a unit of the system with the paths of this installation, and starts it', async () => {
    expect((await run('install')).filter((line) => !line.startsWith('note'))).toEqual([
      `wrote  ${systemUnit()}`,
      'ran    systemctl daemon-reload',
      'ran    systemctl enable --now runbook-agent.service',
    ])
    expect(calls()).toEqual([
      'id -u runbook-agent',
      'systemctl daemon-reload',
      'systemctl enable --now runbook-agent.service',
    ])
    const unit = readFileSync(systemUnit(), 'utf8')
    expect(unit).toContain(`\nExecStart=${at('node')} ${at('main.js')} start\n`)
    expect(unit).toContain(`\nLoadCredential=hoop-key:${at('etc/hoop-key')}\n`)
    expect(unit).toContain('\nUser=runbook-agent\n')
    expect(statSync(systemUnit()).mode & 0o022).toBe(0)
  })

  test("writes a unit of one user without root, and says how it outlives the user's logout", async () => {
    expect(await run('install', { user: true }, { uid: 1000 })).toEqual([
      `wrote  ${userUnit()}`,
      'ran    systemctl --user daemon-reload',
      'ran    systemctl --user enable --now runbook-agent.service',
      'to do  loginctl enable-linger joe  # otherwise the service ends at your logout',
    ])
    expect(calls()).toEqual([
      'systemctl --user daemon-reload',
      'systemctl --user enable --now runbook-agent.service',
    ])
    writeFileSync(at('linger/joe'), '')
    expect((await run('install', { user: true }, { uid: 1000 })).at(-1)).toBe(
      'to do  systemctl --user restart runbook-agent.service  # if the service ran before',
    )
  })

  test('never has the key in the unit, in an argument or in what it says', async () => {
    for (const flags of [{}, { user: true }]) {
      const said = await run('install', flags)
      const written = [systemUnit(), userUnit()]
        .filter((file) => existsSync(file))
        .map((file) => readFileSync(file, 'utf8'))
      expect([...said, ...calls(), ...written].join('\n')).not.toContain('the-secret-of-this-test')
    }
  })

  test('does not start a service whose user is missing, and says how to make it', async () => {
    fake('id', 'exit 1')
    const said = await run('install', { runAs: 'runbooks' })
    expect(said.filter((line) => !line.startsWith('note'))).toEqual([
      `wrote  ${systemUnit()}`,
      'ran    systemctl daemon-reload',
      'ran    systemctl enable runbook-agent.service',
      'to do  useradd --system --user-group --create-home --home-dir /var/lib/runbook-agent runbooks',
      'to do  systemctl start runbook-agent.service',
    ])
  })

  test('warns of programs that the user cannot read, and of a key that others can', async () => {
    // mkdtemp's folder is closed to others.
    chmodSync(at('etc/hoop-key'), 0o644)
    expect((await run('install')).filter((line) => line.startsWith('note'))).toEqual([
      `note   other users can read the key: chmod 600 ${at('etc/hoop-key')}`,
      `note   runbook-agent may not be able to read ${at('node')}: the file or a parent folder is closed to other users`,
      `note   runbook-agent may not be able to read ${at('main.js')}: the file or a parent folder is closed to other users`,
    ])
  })

  const isClosed = (at: string): boolean =>
    (statSync(at).mode & 0o001) === 0 || (at !== '/' && isClosed(path.dirname(at)))
  const title = 'warns of one program alone (needs a temporary folder that others may enter)'
  test.skipIf(isClosed(tmpdir()))(title, async () => {
    chmodSync(folder, 0o755)
    chmodSync(at('main.js'), 0o700)
    expect((await run('install')).filter((line) => line.startsWith('note'))).toEqual([
      `note   runbook-agent may not be able to read ${at('main.js')}: the file or a parent folder is closed to other users`,
    ])
  })

  test('replaces its own unit, and no other without --force', async () => {
    await run('install')
    await run('install', { allowSudo: true })
    expect(readFileSync(systemUnit(), 'utf8')).not.toContain('NoNewPrivileges')
    writeFileSync(systemUnit(), `${readFileSync(systemUnit(), 'utf8')}# mine\n`)
    const mine = readFileSync(systemUnit(), 'utf8')
    for (const action of ['install', 'uninstall'] as const) {
      expect((await failure(action)).message).toBe(
        `${systemUnit()} was not written by this command, or was changed since. Move the file to another folder, or use --force`,
      )
      expect(readFileSync(systemUnit(), 'utf8')).toBe(mine)
    }
    await run('install', { force: true })
    expect(isOurs(readFileSync(systemUnit(), 'utf8'))).toBe(true)
  })

  test('refuses without a key file, before anything is written', async () => {
    expect((await failure('install', { keyFile: at('nothing') })).message).toBe(
      `the key file ${at('nothing')} does not exist. Write the agent's key to this file (mode 0600), or name another file with --key-file`,
    )
    expect((await failure('install', { keyFile: folder })).message).toContain('is not a regular file')
    expect([existsSync(systemUnit()), calls()]).toEqual([false, []])
  })

  test('refuses a service of the system without root', async () => {
    for (const action of ['install', 'uninstall'] as const) {
      expect(await failure(action, {}, { uid: 1000 })).toMatchObject({
        message: 'a system service needs root. Run this with sudo, or use --user for a user service',
        exitCode: 77,
      })
    }
  })

  test('refuses flags that do not fit', async () => {
    expect((await failure('print', { user: true, runAs: 'joe' })).exitCode).toBe(64)
    expect((await failure('print', { runAs: 'joe\nExecStart=/bin/sh' })).exitCode).toBe(64)
  })

  test('says what remains when systemctl fails or is missing', async () => {
    fake(
      'systemctl',
      '[ "$1" = daemon-reload ] || { echo "Job failed." >&2; echo "See journalctl." >&2; exit 1; }',
    )
    expect(await failure('install')).toMatchObject({
      message:
        'systemctl enable --now runbook-agent.service: Job failed.. Correct this, then run: systemctl enable --now runbook-agent.service',
      exitCode: 69,
    })
    rmSync(at('bin/systemctl'))
    process.env['PATH'] = at('bin')
    expect((await failure('install')).message).toBe(
      'systemctl daemon-reload: systemctl not found. Correct this, then run: systemctl daemon-reload; systemctl enable --now runbook-agent.service',
    )
  })
})

describe('the gateway', () => {
  const unitFile = () => at('system/runbook-gateway.service')
  const gateway = { gateway: true }

  beforeEach(() => {
    writeFileSync(at('etc/gateway.yaml'), 'users: []\n', { mode: 0o640 })
  })

  test('gets a unit of its own, with its settings and a user apart from the agent', async () => {
    expect((await run('install', gateway)).filter((line) => !line.startsWith('note'))).toEqual([
      `wrote  ${unitFile()}`,
      'ran    systemctl daemon-reload',
      'ran    systemctl enable --now runbook-gateway.service',
    ])
    const unit = readFileSync(unitFile(), 'utf8')
    const start = `${at('node')} ${at('main.js')} gateway`
    expect(unit).toContain(`\nExecStartPre=${start} --check --config ${at('etc/gateway.yaml')}\n`)
    expect(unit).toContain(`\nExecStart=${start} --config ${at('etc/gateway.yaml')}\n`)
    expect(unit).toContain('\nUser=runbook-gateway\n')
    expect(unit).not.toContain('LoadCredential')
    await run('install')
    expect([existsSync(systemUnit()), existsSync(unitFile())]).toEqual([true, true])
    await run('uninstall', gateway)
    expect([existsSync(systemUnit()), existsSync(unitFile())]).toEqual([true, false])
  })

  test('is not installed without settings, and warns of those that everybody reads', async () => {
    expect((await failure('install', { ...gateway, config: at('none.yaml') })).message).toBe(
      `the file ${at('none.yaml')} does not exist. Write the settings to this file, or name another file with --config`,
    )
    chmodSync(at('etc/gateway.yaml'), 0o644)
    expect(await run('install', gateway)).toContain(
      `note   other users can read tokens in the file: chmod 640 ${at('etc/gateway.yaml')}`,
    )
  })

  test('takes no flag of the agent, nor the agent one of it', async () => {
    for (const flags of [{ ...gateway, keyFile: '/k' }, { ...gateway, allowSudo: true }, { config: '/g' }]) {
      expect((await failure('print', flags)).exitCode).toBe(64)
    }
  })

  test('of one user has no sandbox, and nothing that only the system may give', async () => {
    const unit = (await run('print', { ...gateway, user: true, config: '/my/gateway.yaml' })).join('\n')
    const settings = [...unit.matchAll(/^(\w+)=/gm)].map(([, name]) => name)
    expect(settings).not.toContain('User')
    expect(
      settings.filter((name) => /^(Protect|Private|Restrict(?!art)|SystemCall|RemoveIPC)/.test(name ?? '')),
    ).toEqual([])
  })

  test('has a minute more than running sessions have to end', () => {
    const { stopTimeoutMs } = settingsOf('{}')
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(readFileSync(gatewayTemplate, 'utf8')) ?? []
    expect(Number(seconds)).toBeGreaterThanOrEqual(stopTimeoutMs / 1000 + 60)
  })

  test('has a reason above each group of its settings', () => {
    const lines = readFileSync(gatewayTemplate, 'utf8').split('\n')
    const bare = lines.filter((line, index) => /^\w+=/.test(line) && lines[index - 1] === '')
    expect(bare).toEqual([])
  })

  test.skipIf(!HAS_ANALYZE)('has a unit that systemd-analyze accepts, whatever the paths', async () => {
    const odd = at('a b%h$HOME;{x}é')
    mkdirSync(odd)
    writeFileSync(path.join(odd, 'node'), '', { mode: 0o755 })
    for (const flags of [gateway, { ...gateway, user: true }]) {
      const rest = { node: path.join(odd, 'node'), main: path.join(odd, `"c'd\\e.js`) }
      const printed = await run('print', { ...flags, config: path.join(odd, 'g.yaml') }, rest)
      const unit = at('runbook-gateway.service')
      expect(verified(unit, printed, 'user' in flags)).toEqual([0, ''])
    }
  })
})

describe('uninstall', () => {
  test('stops the service, removes the unit and keeps the key', async () => {
    await run('install', { user: true })
    rmSync(at('calls'))
    expect(await run('uninstall', { user: true })).toEqual([
      'ran    systemctl --user disable --now runbook-agent.service',
      `removed ${userUnit()}`,
      'ran    systemctl --user daemon-reload',
      `kept   the key, the state folder, and drop-ins (${userUnit()}.d)`,
    ])
    expect(calls()).toEqual([
      'systemctl --user disable --now runbook-agent.service',
      'systemctl --user daemon-reload',
    ])
    expect([existsSync(userUnit()), existsSync(at('home/.config/runbook-agent/hoop-key'))]).toEqual([
      false,
      true,
    ])
  })

  test('has nothing to do when there is no unit', async () => {
    expect(await run('uninstall')).toEqual([`nothing to remove: ${systemUnit()} does not exist`])
    expect(calls()).toEqual([])
  })

  test('keeps the unit of a service that it cannot stop, unless forced', async () => {
    await run('install')
    fake('systemctl', 'echo "no such bus" >&2; exit 1')
    expect((await failure('uninstall')).message).toContain('no such bus')
    expect(existsSync(systemUnit())).toBe(true)
    expect(await run('uninstall', { force: true })).toContain(
      'failed systemctl disable --now runbook-agent.service: no such bus',
    )
    expect(existsSync(systemUnit())).toBe(false)
  })
})

describe('the unit', () => {
  const options = {
    node: '/usr/bin/node',
    main: '/opt/x/main.js',
    file: '/etc/k',
    runAs: 'joe',
    forUser: false,
    allowSudo: false,
  }
  const text = readFileSync(template, 'utf8')
  const settings = (unit: string) =>
    unit
      .split('\n')
      .filter((line) => /^\w+=/.test(line))
      .map((line) => line.split('=')[0])

  test('is printed as it would be installed', async () => {
    const printed = await run('print')
    await run('install')
    expect(printed.join('\n')).toBe(readFileSync(systemUnit(), 'utf8').trimEnd())
  })

  test('has every setting of the template for the system', () => {
    expect(settings(renderUnit(text, options))).toEqual(settings(text))
  })

  test('without its sandbox has everything else', () => {
    const left = settings(renderUnit(text, { ...options, allowSudo: true }))
    expect(settings(text).filter((name) => !left.includes(name))).toEqual([
      'NoNewPrivileges',
      'ProtectSystem',
      'PrivateDevices',
      'ProtectKernelTunables',
      'ProtectKernelModules',
      'ProtectKernelLogs',
      'ProtectClock',
      'ProtectHostname',
      'RestrictAddressFamilies',
      'RestrictNamespaces',
      'RestrictRealtime',
      'LockPersonality',
      'SystemCallArchitectures',
      'SystemCallFilter',
      'SystemCallErrorNumber',
      'CapabilityBoundingSet',
    ])
  })

  test('of one user asks for nothing that only the system may give', () => {
    const unit = renderUnit(text, { ...options, forUser: true })
    const left = settings(unit)
    for (const name of ['User', 'OOMScoreAdjust', 'Wants', 'After', 'NoNewPrivileges', 'ProtectSystem']) {
      expect(left).not.toContain(name)
    }
    expect(unit).toContain('\nWantedBy=default.target\n')
    expect(unit).not.toMatch(/sudo|waiting for the network/)
  })

  test('has a reason above each group of settings', () => {
    const lines = text.split('\n')
    const bare = lines.filter((line, index) => /^\w+=/.test(line) && lines[index - 1] === '')
    expect(bare).toEqual([])
  })

  test('is known as ours until it is changed', () => {
    const unit = renderUnit(text, options)
    expect(isOurs(unit)).toBe(true)
    expect(isOurs(unit.replace('RestartSec=5', 'RestartSec=6'))).toBe(false)
    expect(isOurs(`${unit}\n`)).toBe(false)
    expect(isOurs(text)).toBe(false)
    expect(isOurs('')).toBe(false)
  })

  test('cannot be given a path that would be more than a path', () => {
    for (const bad of ['/x\nUser=root', '/x\u0000', 'relative', '']) {
      for (const name of ['node', 'main', 'file'] as const) {
        expect(() => renderUnit(text, { ...options, [name]: bad })).toThrow(Failure)
      }
    }
    for (const node of ['/a"b', "/a'b", '/a\\b']) {
      expect(() => renderUnit(text, { ...options, node })).toThrow('quotes or backslashes')
    }
  })

  test('has paths as systemd reads them', () => {
    const unit = renderUnit(text, { ...options, node: '/n $1%h', main: '/m "$1\\%h', file: '/k $1%h' })
    expect(unit).toContain('\nExecStart="/n $1%%h" "/m \\"$$1\\\\%%h" start\n')
    expect(unit).toContain('\nLoadCredential=hoop-key:/k $1%%h\n')
  })

  test.skipIf(!HAS_ANALYZE)('is accepted by systemd-analyze, whatever the paths', async () => {
    const odd = at('a b%h$HOME;{x}é')
    mkdirSync(odd)
    writeFileSync(path.join(odd, 'node'), '', { mode: 0o755 })
    const main = path.join(odd, `"c'd\\e.js`)
    for (const flags of [{}, { user: true }, { allowSudo: true }]) {
      const unit = at(`runbook-agent.service`)
      const printed = await run(
        'print',
        { ...flags, keyFile: path.join(odd, 'key') },
        { node: path.join(odd, 'node'), main },
      )
      expect(verified(unit, printed, 'user' in flags)).toEqual([0, ''])
    }
  })

  test.skipIf(!HAS_ANALYZE)('and the template too', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', template], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })
})

test('each command offers the options that it reads, and no others', () => {
  const optionsOf = (name: string) =>
    service.commands.find((one) => one.name === name)?.options?.map(({ long }) => long)
  const unit = ['--gateway', '--user', '--key-file', '--config', '--run-as', '--allow-sudo']
  expect(optionsOf('install')).toEqual([...unit, '--force'])
  expect(optionsOf('print')).toEqual(unit)
  expect(optionsOf('uninstall')).toEqual(['--gateway', '--user', '--force'])
})
