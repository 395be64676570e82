import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { Program, runProgram } from '../../support/sites/program.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { waitFor } from '../../support/wait.ts'

let place: Workplace
let gateway: RunningGateway
let file: string
beforeAll(async () => {
  place = new Workplace()
  gateway = await RunningGateway.start()
  file = place.at('made.backup')
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const run = (...args: readonly string[]) =>
  runProgram(place, args, { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: userToken })
const files = () => readdirSync(place.path).filter((name) => name.includes('.backup'))

describe('backup and restore', () => {
  it('are one command each; the file is private, and a second one does not take its place', async () => {
    const made = await run('backup', file)
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(made.stdout)).toMatchObject({ file, kind: 'runbook-agent backup', program: '1.2.3' })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(files()).toEqual(['made.backup'])
    expect(await run('backup', file)).toMatchObject({ code: 64, stderr: /exists already/ })
    expect(await run('backup', place.at('none', 'made.backup'))).toMatchObject({ code: 74, stderr: /ENOENT/ })

    const restored = await run('restore', file, '--state', place.at('new', 'state'))
    expect(restored).toMatchObject({ code: 0, stderr: '' })
    expect(restored.stdout).toMatch(/state: the state of \d{4}-.*, backed up by version 1\.2\.3\n$/)
    expect(readdirSync(place.at('new', 'state'))).toEqual(['history.sqlite'])
    const again = await run('restore', file, '--state', place.at('new', 'state'))
    expect([again.code, again.stderr]).toEqual([
      78,
      expect.stringMatching(/is not empty; choose an empty folder/),
    ])
    const missing = await run('restore', place.at('none'), '--state', place.at('other'))
    expect([missing.code, missing.stderr]).toEqual([74, expect.stringMatching(/ENOENT/)])
    expect(existsSync(place.at('other'))).toBe(false)
  })

  it('a backup that breaks off leaves no file, also when somebody interrupts it', async () => {
    await using rest = await ScriptedRest.start()
    const whole = readFileSync(file)
    rest.on('POST /api/backup', (_, response) => {
      response
        .writeHead(200, { 'content-type': 'application/gzip' })
        .write(whole.subarray(0, whole.length / 2))
    })
    const env = { HOOP_APIURL: rest.url, HOOP_TOKEN: userToken }
    const begun = () => files().some((name) => name.startsWith('broken.backup.'))
    await using interrupted = new Program(place, ['backup', place.at('broken.backup')], env)
    await waitFor(begun)
    interrupted.signal('SIGINT')
    expect(await interrupted.ended()).toEqual({ code: 130, signal: null })
    expect(files()).toEqual(['made.backup'])

    rest.on('POST /api/backup', (_, response) => {
      response.writeHead(200, { 'content-type': 'application/gzip' }).end(whole.subarray(0, whole.length / 2))
    })
    const cut = await runProgram(place, ['backup', place.at('broken.backup')], env)
    expect([cut.code, cut.stderr]).toEqual([
      69,
      expect.stringMatching(/cannot use the backup from the gateway: the backup is truncated/),
    ])
    rest.on('POST /api/backup', (_, response) => {
      response
        .writeHead(200, { 'content-type': 'application/gzip' })
        .write(whole.subarray(0, whole.length / 2))
      setImmediate(() => response.destroy())
    })
    const broken = await runProgram(place, ['backup', place.at('broken.backup')], env)
    expect([broken.code, broken.stderr]).toEqual([69, expect.stringMatching(/the answer broke off/)])
    expect(files()).toEqual(['made.backup'])
  })
})
