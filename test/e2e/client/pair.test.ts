import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main, runProgram } from '../../support/sites/program.ts'
import { RunbookGateway } from '../../support/sites/runbook-gateway.ts'
import { Site } from '../../support/sites/site.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const DELETE = 'ops/delete.runbook.sh'
const DRY = 'ops/delete.dry.runbook.sh'

describe('a pair of runbooks on the command line', () => {
  let site: Site

  beforeAll(async () => {
    site = await Site.start({
      connections: [
        { name: 'shop', command: ['bash'] },
        { name: 'careful', command: ['bash'], confirm: true },
      ],
      runbooks: {
        [DELETE]: `{{/* first: ${DRY} */}}\n{{ .id | asenv "ID" }}\necho "deleted $ID"`,
        [DRY]: '{{ .id | asenv "ID" }}\necho "would delete $ID"; test "$ID" != bad',
        'ops/plain.runbook.sh': 'echo plain',
      },
    })
  }, 60_000)

  afterAll(() => site[Symbol.asyncDispose]())

  const env = (): Record<string, string> => {
    const { address, grpc, token } = site
    return { HOOP_APIURL: `http://${address}`, HOOP_GRPCURL: grpc, HOOP_TOKEN: token }
  }
  const client = (...args: readonly string[]) => runProgram(site.place, args, env())
  const run = (...more: readonly string[]) => client('run', 'shop', DELETE, '-p', 'id=7', ...more)
  const runs = async () => {
    const { stdout } = await client('sessions', 'list', '--format', 'json')
    return (JSON.parse(stdout) as readonly { labels: { runbookFile: string } }[]).map(
      ({ labels }) => labels.runbookFile,
    )
  }

  it('is refused without a terminal unless --first says how', async () => {
    const before = (await runs()).length
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([64, expect.stringContaining('--first run')])
    expect((await runs()).length).toBe(before)
  })

  it('runs in two commands: --first run, and --first with the session of it', async () => {
    const first = await run('--first', 'run')
    expect(first).toMatchObject({ code: 0, stdout: 'would delete 7\n' })
    const [, id = ''] = /--first (\S+)\n/.exec(first.stderr) ?? []
    expect(await client('run', 'shop', DELETE, '-p', 'id=8', '--first', id)).toMatchObject({ code: 64 })
    expect(await run('--first', id)).toMatchObject({ code: 0, stdout: 'deleted 7\n' })
    expect((await runs()).slice(0, 2)).toEqual([DELETE, DRY])
  })

  it('continues after a failed first run only with --despite-first', async () => {
    const bad = (...more: string[]) => client('run', 'shop', DELETE, '-p', 'id=bad', ...more)
    const first = await bad('--first', 'run', '--json')
    expect(first.code).toBe(1)
    const { session_id: id } = JSON.parse(first.stdout) as { session_id: string }
    expect(await bad('--first', id)).toMatchObject({ code: 64 })
    expect(await bad('--first', id, '--despite-first')).toMatchObject({ code: 0, stdout: 'deleted bad\n' })
  })

  it('asks for the confirmation of each of its runs', async () => {
    const careful = (...more: string[]) => client('run', 'careful', DELETE, '-p', 'id=7', ...more)
    expect((await careful('--first', 'run')).stderr).toContain(`${DRY} needs a confirmation`)
    const first = await careful('--first', 'run', '--confirm', 'careful', '--no-wait')
    const id = first.stdout.trim()
    await client('sessions', 'follow', id)
    expect((await careful('--first', id)).stderr).toContain(`${DELETE} needs a confirmation`)
    expect((await careful('--first', id, '--confirm', 'careful')).stdout).toBe('deleted 7\n')
  })

  it.each([
    'run shop ops/plain.runbook.sh --first run',
    `run ${DELETE} -p id=7 --on shop --yes --first run`,
    `run ${DELETE} -p id=7 --on shop --yes`,
    `run shop ${DELETE} -p id=7 --first run --dry-run`,
    `run shop ${DELETE} -p id=7 --despite-first`,
  ])('is refused with 64 where it cannot be: %s', async (line) => {
    const before = (await runs()).length
    expect((await client(...line.split(' '))).code).toBe(64)
    expect((await runs()).length).toBe(before)
  })

  it('is in the JSON of runbooks show, and a local run says that it leaves the first one out', async () => {
    const shown = await client('runbooks', 'show', DELETE)
    expect(JSON.parse(shown.stdout)).toMatchObject({ first: DRY })
    const file = site.place.write('delete.runbook.sh', `{{/* first: ${DRY} */}}\necho local`)
    const local = await client('run', '--local', 'shop', file, '--', 'bash')
    expect(local).toMatchObject({ code: 0, stdout: 'local\n' })
    expect(local.stderr).toContain(`without its first runbook, ${DRY}`)
  })

  it("is never sent to a gateway that ignores it, as hoop's does", async () => {
    await using gateway = await RunbookGateway.start({ name: DELETE, metadata: {} })
    using place = new Workplace()
    const { code, stderr } = await runProgram(place, ['run', 'pg', DELETE, '--first', 'run'], gateway.env)
    expect([code, stderr]).toEqual([64, expect.stringContaining('omit --first')])
    expect(gateway.requests).toEqual([])
  })

  it.skipIf(!hasTmux)('asks between its runs on a terminal (tmux)', async () => {
    using screen = new Tmux(site.place, { ...env(), N: process.execPath, A: main })
    screen.enter(`"$N" "$A" run shop ${DELETE} -p id=70`)
    await screen.shows(/would delete 70[^]*Continue with ops\/delete\.runbook\.sh on shop\?[^]*no/)
    expect((await runs())[0]).toBe(DRY)
    screen.press('Enter')
    await screen.shows(/was not requested\. To continue later: the same command with --first \S+/)
    screen.enter(`clear; "$N" "$A" run shop ${DELETE} -p id=71`)
    await screen.shows(/would delete 71[^]*Continue with/)
    screen.press('Down', 'Enter')
    await screen.shows(/^deleted 71/m)
    screen.enter(`clear; "$N" "$A" runbooks show ${DELETE}`)
    await screen.shows(/^runs after +ops\/delete\.dry\.runbook\.sh/m)
    screen.enter(`clear; "$N" "$A" run careful ${DELETE} -p id=bad`)
    await screen.shows(/This runs ops\/delete\.dry\.runbook\.sh on careful/)
    screen.enter('careful')
    await screen.shows(/The first run has failed\. Continue in spite of it with/)
    screen.press('Down', 'Enter')
    await screen.shows(/This runs ops\/delete\.runbook\.sh on careful/)
    screen.enter('careful')
    await screen.shows(/^deleted bad/m)
  })
})
