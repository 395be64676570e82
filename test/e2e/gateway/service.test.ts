import { execFileSync, spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { NotifyListener } from '../../support/sites/notify-listener.ts'
import { Program, main, runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { waitFor } from '../../support/wait.ts'

const TOKENS = ['a-token-for-tests-0123456789', 'another-token-for-tests-0123']

/** The arguments of the program in a line of the unit. */
function commandOf(unit: string, name: string): string[] {
  const [, line = ''] = new RegExp(`^${name}=(.*)$`, 'm').exec(unit) ?? []
  const [, words = ''] = line.split(`${main} `)
  return words.split(' ')
}

it('the unit checks, starts, reloads and stops the gateway, and systemd hears of it', async () => {
  using place = new Workplace()
  using listener = new NotifyListener()
  const settings = (users: number, more = '') =>
    place.write(
      'gateway.yaml',
      `listen: { http: 127.0.0.1:0, grpc: 127.0.0.1:0 }\nusers:\n${TOKENS.slice(0, users)
        .map((token, at) => `  - { name: user${at}, token: ${token} }\n`)
        .join('')}${more}`,
    )
  const file = settings(1)
  const { stdout: unit } = await runProgram(place, ['service', 'print', '--gateway', '--config', file])
  const checked = await runProgram(place, commandOf(unit, 'ExecStartPre'))
  expect(checked).toMatchObject({ code: 0, stdout: `${file}: the gateway can start with these settings\n` })
  const heard: string[] = []
  const hears = async (line: string) => {
    await waitFor(() => {
      heard.push(...listener.take().flatMap((message) => message.split('\n')))
      return heard.some((one) => one.startsWith(line))
    })
    heard.splice(0, heard.findIndex((one) => one.startsWith(line)) + 1)
  }
  const env = { NOTIFY_SOCKET: listener.address, WATCHDOG_USEC: '200000' }
  await using gateway = new Program(place, [...commandOf(unit, 'ExecStart'), '--json'], env)
  const [, http = ''] = await gateway.says('stdout', /"http":"([^"]+)"/)
  await hears('READY=1')
  await hears('STATUS=serves http://127.0.0.1:')
  await hears('WATCHDOG=1')
  const status = async (token = '') => {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' }
    return (await fetch(`${http}/api/userinfo`, { headers })).status
  }
  const reload = async () => {
    const [, line = ''] = /^ExecReload=(.*)$/m.exec(unit) ?? []
    execFileSync('/bin/sh', ['-c', line], { env: { MAINPID: String(gateway.pid) } })
    await hears('RELOADING=1')
    await hears('READY=1')
  }
  expect([await status(TOKENS[0]), await status(TOKENS[1])]).toEqual([200, 401])
  settings(2)
  await reload()
  expect([await status(TOKENS[0]), await status(TOKENS[1])]).toEqual([200, 200])
  settings(1, 'nonsense: 1\n')
  await reload()
  await gateway.says('stderr', /nonsense: unknown setting.*settings not reloaded/)
  expect([await status(TOKENS[0]), await status(TOKENS[1])]).toEqual([200, 200])
  gateway.signal('SIGTERM')
  await hears('STOPPING=1')
  expect(await gateway.ended()).toEqual({ code: 0, signal: null })
})

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0

it.skipIf(!hasAnalyze)(
  'the unit exposes less than the agent, in the eyes of systemd-analyze (needs it)',
  async () => {
    using place = new Workplace()
    const file = place.write('gateway.yaml', '')
    const { stdout: unit } = await runProgram(place, ['service', 'print', '--gateway', '--config', file])
    const path = place.write('runbook-gateway.service', unit)
    const limit = ['--offline=true', '--threshold=20']
    const { status, stdout } = spawnSync('systemd-analyze', ['security', ...limit, path], {
      encoding: 'utf8',
    })
    expect([status, stdout]).toEqual([0, expect.stringContaining('Overall exposure level')])
  },
)
