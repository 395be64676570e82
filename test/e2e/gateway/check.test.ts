import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import Database from 'libsql'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { Authority } from '../../support/network/certificates.ts'
import { freePort } from '../../support/network/free-port.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'

let place: Workplace

beforeEach(() => {
  place = new Workplace()
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', place.at('rb')])
  const git = ['-C', place.at('rb'), '-c', 'user.name=t', '-c', 'user.email=t@example.test']
  execFileSync('git', [...git, 'commit', '--quiet', '--allow-empty', '--message=first'])
})
afterEach(() => {
  place[Symbol.dispose]()
})

function configure({ http = '127.0.0.1:0', branch = 'main', more = '', tls = '' } = {}): void {
  place.write(
    'gateway.yaml',
    `listen: { http: ${http}, grpc: 127.0.0.1:0${tls} }
users: [{ name: ada, token: a-token-for-tests-0123456789, groups: [admin] }]
repositories: [{ name: rb, url: ./rb, branch: ${branch} }]
${more}
`,
  )
}

const check = (...more: string[]) =>
  runProgram(place, ['gateway', '--check', '--config', place.at('gateway.yaml'), ...more])

/** Everything below the state and beside it: names, sizes, modes, what stands in files, and when it was changed. */
function everything(): Record<string, unknown> {
  const entries = readdirSync(place.path, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    entries
      .filter(({ parentPath }) => !parentPath.includes('/home'))
      .map((entry) => {
        const file = path.join(entry.parentPath, entry.name)
        const { mode, mtimeMs } = statSync(file)
        const hash = entry.isFile()
          ? [createHash('sha256').update(readFileSync(file)).digest('hex'), mtimeMs]
          : []
        return [file, [mode, ...hash]]
      }),
  )
}

describe('gateway --check', () => {
  it('says that all is well, and makes nothing: neither a state nor a copy of a repository', async () => {
    configure()
    const before = everything()
    const { code, stdout, stderr } = await check()
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${place.at('gateway.yaml')}: the gateway can start with these settings\n`,
      stderr: '',
    })
    expect(everything()).toEqual(before)
  })

  it('names each problem of the file in a line of its own, as config check does', async () => {
    place.write('gateway.yaml', 'listen: { http: nowhere }\nusers: [{ name: ada }]\nconnections: { }\n')
    const { code, stdout } = await check()
    const checked = await runProgram(place, ['config', 'check', place.at('gateway.yaml')])
    expect(code).toBe(78)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => line.replace(/^broken: {2}/, ''))).toEqual(
      checked.stdout.trimEnd().split('\n'),
    )
    expect(lines.length).toBeGreaterThan(1)
    const missing = await runProgram(place, ['gateway', '--check', '--config', place.at('none.yaml')])
    expect(missing).toMatchObject({
      code: 78,
      stdout: expect.stringMatching(/^broken: .*none\.yaml.*\n$/) as string,
    })
  })

  it('warns of runbooks of mcp that are no tools, and of tools without a title', async () => {
    const rb = (name: string, text: string) => place.write(`rb/${name}`, text)
    rb('ops/good.runbook.sh', '# Say it\necho it\n')
    rb('ops/untitled.runbook.sh', 'echo it\n')
    rb('ops/secret.runbook.sh', '# Needs one\necho {{ .password | required "it" | type "password" }}\n')
    rb('other/untitled.runbook.sh', 'echo it\n')
    const git = ['-C', place.at('rb'), '-c', 'user.name=t', '-c', 'user.email=t@example.test']
    execFileSync('git', [...git, 'add', '.'])
    execFileSync('git', [...git, 'commit', '--quiet', '--message=second'])
    const connection = '{ name: a, agent: l, command: [bash], runbooks: { repository: rb } }'
    const agent = 'agents: [{ name: l, key: xagt-a-key-for-tests-0123456789 }]'
    const mcp = 'mcp: [{ groups: [triage], runbooks: [{ path: "ops/**", effect: read }] }]'
    configure({ more: `${agent}\nconnections: [${connection}]\n${mcp}` })
    const { code, stdout } = await check()
    const warnings = stdout.split('\n').filter((line) => line.includes('mcp: '))
    expect([code, warnings]).toEqual([
      0,
      [
        expect.stringMatching(/ops\/secret\.runbook\.sh .* parameter password is a required secret/),
        expect.stringMatching(/ops\/untitled\.runbook\.sh .* no title/),
      ],
    ])
  })

  it('names a port that is taken, and one that it may not have', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    configure({ http: `127.0.0.1:${port}` })
    const { code, stdout } = await check()
    server.close()
    expect([code, stdout]).toEqual([
      78,
      `broken:  listen.http: cannot listen on 127.0.0.1:${port}: EADDRINUSE. Stop the program that uses this port (perhaps the running gateway), or choose another port\n`,
    ])
    configure({ http: `127.0.0.1:${await freePort()}` })
    expect((await check()).code).toBe(0)
  })

  it('names a certificate that has ended, and warns of one that soon does', async () => {
    const files = { certificate: place.at('tls.crt'), key: place.at('tls.key') }
    const authority = new Authority('check')
    const issue = (days: number) => {
      const validTo = new Date(Date.now() + days * 86_400_000)
      const issued = authority.issue({ names: ['127.0.0.1'], validTo })
      place.write('tls.crt', issued.certificate)
      place.write('tls.key', issued.key)
    }
    configure({ tls: `, tls: ${JSON.stringify(files)}` })
    issue(-1)
    expect(await check()).toMatchObject({
      code: 78,
      stdout: expect.stringMatching(
        /^broken: {2}certificate: .*tls\.crt expired at .* no client accepts it\. Replace the file/,
      ) as string,
    })
    issue(3)
    expect(await check()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^warning: certificate: .*tls\.crt expires at /) as string,
    })
    issue(300)
    expect((await check()).stdout).not.toContain('certificate')
  })

  it('names a repository without the branch, and one that is not there: the gateway starts all the same', async () => {
    configure({ branch: 'other' })
    expect(await check()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^warning: repository rb: runbook repository rb has no branch other\. Until/,
      ) as string,
    })
    execFileSync('rm', ['-r', place.at('rb')])
    expect(await check()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^warning: repository rb: failed fetching runbook repository rb: /,
      ) as string,
    })
  })

  it('names the unknown runbook of a schedule, and paths that match no runbook, with the nearest ones', async () => {
    mkdirSync(place.at('rb/ops'))
    for (const name of ['clean', 'danger-drop']) place.write(`rb/ops/${name}.runbook.sh`, 'echo')
    const git = ['-C', place.at('rb'), '-c', 'user.name=t', '-c', 'user.email=t@example.test']
    execFileSync('git', [...git, 'add', '--all'])
    execFileSync('git', [...git, 'commit', '--quiet', '--message=runbooks'])
    const settings = (clean: string, danger: string) =>
      configure({
        more: `agents: [{ name: local, key: xagt-a-key-for-tests-0123456789 }]
connections:
  - name: pg
    agent: local
    command: [bash]
    runbooks: { repository: rb, path: ops/, review: [{ path: '${danger}', groups: [admin] }], confirm: ['${danger}'] }
    access: { exec: false, connect: false }
locks: [{ name: one, runbooks: ['${danger}'] }]
schedules: [{ name: nightly, cron: '@daily', connection: pg, as: ada, runbook: ${clean} }]`,
      })
    settings('ops/clean.runbook.sh', 'ops/danger-*')
    expect(await check()).toMatchObject({ code: 0, stdout: expect.not.stringContaining('warning') as string })
    settings('ops/claen.runbook.sh', 'ops/dagner-*')
    const before = everything()
    const { code, stdout } = await check()
    const hint = 'no runbook matches ops/dagner-*: did you mean ops/danger-*?'
    expect([code, stdout.split('\n').filter((line) => line.startsWith('warning'))]).toEqual([
      0,
      [
        'warning: schedule nightly: runbook ops/claen.runbook.sh does not exist in ops/ of rb, so the schedule cannot run: did you mean ops/clean.runbook.sh?',
        `warning: connection pg: runbooks.review: ${hint}`,
        `warning: connection pg: runbooks.confirm: ${hint}`,
        `warning: lock one: runbooks: ${hint}`,
      ],
    ])
    expect(everything()).toEqual(before)
  })

  it('names a state folder that others can write to, or that is none', async () => {
    configure()
    mkdirSync(place.at('state'))
    chmodSync(place.at('state'), 0o777)
    expect(await check()).toMatchObject({
      code: 78,
      stdout: expect.stringMatching(
        /^broken: {2}state: .*can be written to by other users\. Give the folder/,
      ) as string,
    })
    expect(statSync(place.at('state')).mode & 0o777).toBe(0o777)
    execFileSync('rm', ['-r', place.at('state')])
    place.write('state', 'a file')
    expect(await check()).toMatchObject({
      code: 78,
      stdout: expect.stringMatching(/^broken: {2}state: .*cannot create files there: ENOTDIR/) as string,
    })
  })

  it('says that an older schema will be moved, moves nothing, and refuses a newer one', async () => {
    configure()
    mkdirSync(place.at('state'), { mode: 0o700 })
    const file = place.at('state', 'history.sqlite')
    openHistory(file).close()
    setVersion(file, 3)
    const before = everything()
    expect(await check()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^warning: history: the history has schema 3; the start changes it to schema \d+.*Make a backup/,
      ) as string,
    })
    expect(everything()).toEqual(before)
    setVersion(file, 999)
    expect(await check()).toMatchObject({
      code: 78,
      stdout: expect.stringMatching(
        /^broken: {2}history: .*newer version of this program \(schema 999/,
      ) as string,
    })
  })

  it('says that another gateway uses the state', async () => {
    configure()
    mkdirSync(place.at('state'), { mode: 0o700 })
    const history = openHistory(place.at('state', 'history.sqlite'))
    const { code, stdout } = await check()
    history.close()
    expect([code, stdout]).toEqual([
      78,
      expect.stringMatching(
        /^broken: {2}history: .*another gateway is using it; stop that gateway, [^\n]*\n$/,
      ),
    ])
    expect((await check()).code).toBe(0)
  })

  it('gives programs every finding, and no secret', async () => {
    configure({ more: 'agents: [{ name: one, key: xagt-a-key-for-tests-0123456789 }]' })
    const { code, stdout } = await check('--json')
    expect(code).toBe(0)
    const { level, checks } = JSON.parse(stdout) as {
      level: string
      checks: { name: string; level: string }[]
    }
    expect(level).toBe('ok')
    expect(checks.map(({ name }) => name)).toEqual([
      ...['settings', 'certificate', 'state', 'history'],
      ...['listen.http', 'listen.grpc', 'listen.metrics', 'repository rb'],
    ])
    expect(stdout).not.toMatch(/for-tests/)
  })
})

/** As an older, or a newer, version of the program has left it. */
function setVersion(file: string, version: number): void {
  const db = new Database(file)
  db.exec(`PRAGMA user_version = ${version}; PRAGMA wal_checkpoint(TRUNCATE)`)
  db.close()
  copyFileSync(file, `${file}.one`)
  for (const name of readdirSync(path.dirname(file)))
    if (name !== 'history.sqlite.one') execFileSync('rm', [path.join(path.dirname(file), name)])
  execFileSync('mv', [`${file}.one`, file])
  chmodSync(file, 0o600)
}
