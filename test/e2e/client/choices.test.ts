import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'

const FILE = 'ops/tenant.runbook.sh'
const RUNBOOK = `{{/* options-from tenant lists/tenants.runbook.sh of region */}}
{{ .tenant | description "whose data" | asenv "TENANT" }}{{ .region | options "eu" "us" | asenv "REGION" }}
echo "ran for $TENANT"
`

describe('a parameter with a live list, on the command line', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.start({ runbooks: { [FILE]: RUNBOOK } })
  })
  afterAll(() => site[Symbol.asyncDispose]())
  /** A new commit, so that no copy of an earlier test is used. */
  const list = (text: string) =>
    void site.books.commit({
      'lists/tenants.runbook.sh': `cat '${site.place.write('tenants', text)}' # ${performance.now()}\n`,
    })
  beforeEach(() => list('acme\tAcme \u001b[31mLtd\teu\nalpha\tAlpha\teu\nzeta\tZeta\tus\n'))
  const env = () => ({
    HOOP_APIURL: `http://${site.address}`,
    HOOP_GRPCURL: site.grpc,
    HOOP_TOKEN: site.token,
  })
  const program = (...args: string[]) => runProgram(site.place, args, env())
  const run = (tenant: string, region = 'eu') =>
    program('run', 'bash', FILE, '-p', `tenant=${tenant}`, '-p', `region=${region}`)
  const complete = (...words: string[]) => program('complete', '--', 'run', 'bash', FILE, ...words)

  it('runs with a value of the list, and is refused with the near values of the list after it was removed', async () => {
    expect(await run('acme')).toMatchObject({ code: 0, stdout: 'ran for acme\n' })
    list('acme-2\tAcme\teu\n')
    const refused = await run('acme')
    expect(refused).toMatchObject({ code: 64, stdout: '' })
    expect(refused.stderr).toMatch(/parameter tenant is not in the list .* did you mean acme-2\?/)
    expect(await run('zeta', 'eu')).toMatchObject({ code: 64 })
  })

  it('is refused with the session of the list if the list fails', async () => {
    site.books.commit({ 'lists/tenants.runbook.sh': 'exit 3\n' })
    const refused = await run('acme')
    expect(refused).toMatchObject({ code: 69, stdout: '' })
    const [, session = ''] = /exit code 3 \(session ([\da-f-]{36})\)/.exec(refused.stderr) ?? []
    expect((await program('sessions', 'show', session)).stdout).toContain('lists/tenants.runbook.sh')
    expect((await program('sessions', 'list', '--json')).stdout).not.toContain(session)
    expect((await program('sessions', 'list', '--kind', 'list', '--json')).stdout).toContain(session)
  })

  it('is completed only with what the gateway has read before', async () => {
    expect(await complete('-p', 'region=eu', '-p', 'tenant=')).toMatchObject({ code: 0, stdout: '' })
    await run('acme')
    expect(await complete('-p', 'region=eu', '-p', 'tenant=a')).toMatchObject({
      stdout: 'tenant=acme\tAcme  [31mLtd\ntenant=alpha\tAlpha\n',
    })
    expect(await complete('-p', 'region=us', '-p', 'tenant=')).toMatchObject({
      stdout: 'tenant=zeta\tZeta\n',
    })
    expect(await complete('-p', 'ten')).toMatchObject({ stdout: 'tenant=\twhose data\n' })
  })

  it('is not checked by run --local, which says so', async () => {
    const file = site.place.write('local.runbook.sh', RUNBOOK)
    const ended = await program(
      'run',
      '--local',
      'bash',
      file,
      '-p',
      'tenant=any',
      '-p',
      'region=eu',
      '--dry-run',
    )
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('parameter tenant: not checked against the list lists/tenants.runbook.sh')
  })

  it.skipIf(!hasTmux)('is asked after the parameter that chooses among its values', async () => {
    using screen = new Tmux(site.place, { ...env(), A: main, N: process.execPath })
    screen.enter('run() { "$N" "$A" run "$@"; }; clear')
    screen.enter(`run bash ${FILE}`)
    await screen.shows(/region [^]*eu[^]*us/)
    screen.press('Enter')
    await screen.shows(/tenant: whose data[^]*Acme {2}\[31mLtd \(acme\)[^]*Alpha \(alpha\)/)
    expect(screen.screen()).not.toContain('Zeta')
    screen.press('Down', 'Enter')
    await screen.shows(/ran for alpha/)
  })

  it.skipIf(!hasTmux)('can be typed if the list fails, and the gateway decides', async () => {
    site.books.commit({ 'lists/tenants.runbook.sh': 'exit 3\n' })
    using screen = new Tmux(site.place, { ...env(), A: main, N: process.execPath })
    screen.enter('run() { "$N" "$A" run "$@"; }; clear')
    screen.enter(`run bash ${FILE} -p region=eu`)
    await screen.shows(/no choices for parameter tenant: cannot read the choices/)
    screen.enter('acme')
    await screen.shows(/cannot run ops\/tenant.runbook.sh on bash: cannot read the choices/)
  })
})
