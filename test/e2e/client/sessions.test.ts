import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main, Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { Workplace } from '../../support/sites/workplace.ts'

describe('run and sessions on the embedded gateway', () => {
  let site: Site
  let env: Readonly<Record<string, string>>

  beforeAll(async () => {
    site = await Site.start({
      limits: { wait: '1s' },
      runbooks: {
        'ops/greet.runbook.sh':
          'echo "hello "{{ .name | required "who" | pattern "^[a-z]+$" | squote }}; exit 4',
        'ops/bytes.runbook.sh': "printf '\\xff\\x00end'",
        'ops/slow.runbook.sh': "echo begun; sleep 2; printf 'end\\xfe'",
        'ops/forever.runbook.sh': 'echo begun; sleep 600',
        'ops/told.runbook.sh':
          'echo begun; until [ -e {{ .file | squote }} ]; do sleep 0.1; done; printf end; exit 9',
      },
    })
    env = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
  }, 60_000)

  afterAll(async () => {
    await site[Symbol.asyncDispose]()
  })

  const client = (...args: readonly string[]) => runProgram(site.place, args, env)

  it('run: parameters, output and code of a real execution', async () => {
    const ended = await client('run', 'bash', 'ops/greet.runbook.sh', '-p', 'name=world')
    expect(ended).toMatchObject({ code: 4, stdout: 'hello world\n', stderr: '' })
    expect(await client('run', 'bash', 'ops/greet.runbook.sh')).toMatchObject({ code: 64, stdout: '' })
    const wrong = await client('run', 'bash', 'ops/greet.runbook.sh', '-p', 'name=B')
    expect([wrong.code, wrong.stderr]).toEqual([
      64,
      expect.stringMatching(/ on bash: parameter name: the value has to match \^\S+\n$/),
    ])
  })

  it('run: bytes that are no text, and an execution that outlives its answer', async () => {
    await using bytes = new Program(site.place, ['run', 'bash', 'ops/bytes.runbook.sh'], env)
    await bytes.ended()
    expect(bytes.stdoutBytes).toEqual(Buffer.from([0xff, 0x00, 0x65, 0x6e, 0x64]))
    await using slow = new Program(site.place, ['run', 'bash', 'ops/slow.runbook.sh'], env)
    expect((await slow.ended()).code).toBe(0)
    expect(slow.stdoutBytes).toEqual(Buffer.concat([Buffer.from('begun\nend'), Buffer.from([0xfe])]))
  })

  it('run --dry-run: shows the script that would run, and runs nothing', async () => {
    const before = (await client('sessions', '--limit', '1')).stdout
    const ended = await client('run', 'bash', 'ops/greet.runbook.sh', '-p', 'name=world', '--dry-run')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toContain('would run:\necho "hello "\'world\'; exit 4\n')
    expect((await client('sessions', '--limit', '1')).stdout).toBe(before)
    const wrong = await client('run', 'bash', 'ops/greet.runbook.sh', '-p', 'name=B', '--dry-run')
    expect([wrong.code, wrong.stdout]).toEqual([64, ''])
    expect((await client('run', 'bash', 'ops/none.sh', '--dry-run')).code).toBe(64)
  })

  it('run: what is not there, with what was probably meant', async () => {
    expect((await client('run', 'bahs', 'ops/greet.runbook.sh')).stderr).toContain('did you mean bash?')
    const file = await client('run', 'bash', 'ops/gret.runbook.sh')
    expect([file.code, file.stderr]).toEqual([
      64,
      expect.stringContaining('did you mean ops/greet.runbook.sh?'),
    ])
  })

  it('sessions: lists what has run, and filters', async () => {
    const ended = await client('sessions', 'list', '--limit', '1')
    const [newest, ...others] = JSON.parse(ended.stdout) as { id: string; connection: string }[]
    expect([newest?.connection, others]).toEqual(['bash', []])
    expect(JSON.parse((await client('sessions', '--connection', 'none')).stdout)).toEqual([])
    expect(JSON.parse((await client('sessions', '--user', 'nobody')).stdout)).toEqual([])
    const words = await client('sessions', '--text', 'GREET admin', '--status', 'failed', '--limit', '1')
    expect(JSON.parse(words.stdout)).toMatchObject([{ exit_code: 4, user: 'admin' }])
    for (const none of [
      ['--text', 'greet nobody'],
      ['--schedule', 'none'],
      ['--status', 'withdrawn'],
    ])
      expect(JSON.parse((await client('sessions', ...none)).stdout)).toEqual([])
    expect((await client('sessions', 'export', '--text', 'greet', '--schedule', 'none')).stdout).toBe('')
  })

  it('sessions: shows one, and what it wrote, by the beginning of its id', async () => {
    await client('run', 'bash', 'ops/greet.runbook.sh', '-p', 'name=again')
    const [{ id }] = JSON.parse((await client('sessions')).stdout) as [{ id: string }]
    expect((await client('sessions', 'output', id.slice(0, 8))).stdout).toBe('hello again\n')
    const shown = JSON.parse((await client('sessions', 'show', id)).stdout) as { exit_code: number }
    expect(shown).toMatchObject({ id, exit_code: 4, labels: { runbookFile: 'ops/greet.runbook.sh' } })
  })

  it('run and sessions follow: show the output as it comes, and end with the code', async () => {
    const told = site.place.at('told')
    const run = ['run', 'bash', 'ops/told.runbook.sh', '-p', `file=${told}`]
    await using program = new Program(site.place, run, env)
    await program.says('stdout', /begun/)
    const id = await running()
    await using follower = new Program(site.place, ['sessions', 'follow', id.slice(0, 8)], env)
    await follower.says('stdout', /begun/)
    await using lines = new Program(site.place, ['sessions', 'follow', id, '--json'], env)
    await lines.says('stdout', /"type":"o"/)
    await using leaving = new Program(site.place, ['sessions', 'follow', id], env)
    await leaving.says('stdout', /begun/)
    leaving.signal('SIGINT')
    expect((await leaving.ended()).code).toBe(130)
    expect(leaving.stderr).toBe(
      `runbook-agent: session ${id} continues. To follow it again: runbook-agent sessions follow ${id}\n`,
    )
    writeFileSync(told, '')
    for (const one of [program, follower])
      expect([(await one.ended()).code, one.stdout, one.stderr]).toEqual([9, 'begun\nend', ''])
    expect((await lines.ended()).code).toBe(9)
    const events = lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events.map(({ event, type }) => type ?? event)).toEqual(['i', 'o', 'o', 'ended'])
    expect(events.at(-1)).toMatchObject({ session_id: id, exit_code: 9, output_status: 'failed' })
  })

  it('sessions: kills what runs, and says what is not there', async () => {
    await using program = new Program(site.place, ['run', 'bash', 'ops/forever.runbook.sh'], env)
    const id = await running()
    expect((await client('sessions', 'kill', id)).stderr).toBe(`stopped session ${id}\n`)
    expect((await program.ended()).code).toBe(254)
    const again = await client('sessions', 'kill', id)
    expect([again.code, again.stderr]).toEqual([0, `session ${id} had ended already\n`])
    const asJson = await client('sessions', 'kill', id, '--json')
    expect([asJson.stderr, JSON.parse(asJson.stdout)]).toEqual([
      '',
      expect.objectContaining({
        id,
        state: expect.objectContaining({ name: 'stopped', by: 'admin' }) as object,
      }),
    ])
    const none = await client('sessions', 'kill', 'ffffffff-0000-4000-8000-000000000000')
    expect([none.code, none.stderr]).toEqual([
      64,
      expect.stringMatching(/cannot stop session f[^\n]*: not found\n$/),
    ])
    const prefix = await client('sessions', 'show', 'zz')
    expect([prefix.code, prefix.stderr]).toEqual([64, expect.stringContaining('begins with zz')])
  })

  it('sessions: writes a recording that asciinema plays', async () => {
    const [{ id }] = JSON.parse((await client('sessions', '--limit', '1')).stdout) as [{ id: string }]
    const { stdout } = await client('sessions', 'replay', id)
    const [header, ...events] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(header).toMatchObject({ version: 2, width: 80, height: 24, title: `bash ${id}` })
    expect(events[0]).toEqual([expect.any(Number), 'o', 'begun\r\n'])
  })

  it('sessions follow: outlives a gateway that is killed, and shows each thing once', async () => {
    await using own = await Site.start({ runbooks: { 'ops/forever.runbook.sh': 'echo begun; sleep 600' } })
    const ofOwn = { HOOP_APIURL: `http://${own.address}`, HOOP_TOKEN: own.token }
    await using program = new Program(own.place, ['run', 'bash', 'ops/forever.runbook.sh'], ofOwn)
    await program.says('stdout', /begun/)
    const list = JSON.parse((await runProgram(own.place, ['sessions'], ofOwn)).stdout) as [{ id: string }]
    await using follower = new Program(own.place, ['sessions', 'follow', list[0].id], ofOwn)
    await follower.says('stdout', /begun/)
    own.gateway.signal('SIGKILL')
    await own.gateway.ended()
    await follower.says('stderr', /the gateway cannot be reached, retrying/)
    await own.startGateway()
    for (const one of [program, follower]) {
      expect([(await one.ended()).code, one.stdout]).toEqual([254, 'begun\n'])
      expect(one.stderr).toContain('gateway stopped while the session was running\n')
    }
    expect(follower.stderr).toContain('the gateway can be reached again')
  })

  async function running(): Promise<string> {
    for (;;) {
      const list = JSON.parse((await client('sessions')).stdout) as { id: string; status: string }[]
      const open = list.find(({ status }) => status === 'open')
      if (open !== undefined) return open.id
    }
  }
})

describe.skipIf(!hasTmux)('sessions on a terminal (tmux)', () => {
  const session = {
    ...{ id: '5701046a-7b7a-4a78-abb0-a24c95e6fe54', user: 'ada.lovelace@example.test', connection: 'pg' },
    ...{ verb: 'connect', status: 'done', exit_code: 0, start_date: '2026-01-31T14:30:00Z' },
    ...{ end_date: '2026-01-31T14:31:05Z', event_size: 2048, script: { data: 'select 1\u001b[2J' } },
  }

  it('are a table that fits, and nothing in it is obeyed', async () => {
    await using rest = await ScriptedRest.start()
    rest.on(
      'GET /api/sessions',
      json(200, { data: [{ ...session, connection: 'p\u001b[2Jg' }], has_next_page: false }),
    )
    using place = new Workplace()
    using screen = terminal(place, rest, 64)
    screen.enter('client sessions')
    const [row, connection] = await screen.shows(/^5701046a .*(p \[2Jg) .*done +0.*$/m)
    expect([row.length <= 64, connection]).toEqual([true, 'p [2Jg'])
    await screen.shows(/^ID +.*CONNECTION +.*CODE/m)
  })

  it('show one, with its script', async () => {
    await using rest = await ScriptedRest.start()
    rest.on(`GET /api/sessions/${session.id}`, json(200, session))
    using place = new Workplace()
    using screen = terminal(place, rest, 80)
    screen.enter(`client sessions show ${session.id}`)
    await screen.shows(/exit code +0[^]*took +1m 5s[^]*select 1\\x1b\[2J/)
  })

  it('play one, and give the terminal back', async () => {
    await using rest = await ScriptedRest.start()
    const event = (seconds: number, text: string) => [seconds, 'o', Buffer.from(text).toString('base64')]
    const events = [
      event(0.1, 'first '),
      event(0.2, '\u001b[?1049h\u001b[?25lfull screen'),
      event(3600, ' more'),
    ]
    rest.on(`GET /api/sessions/${session.id}`, json(200, { ...session, event_stream: events }))
    using place = new Workplace()
    using screen = terminal(place, rest, 80)
    screen.enter(`client sessions replay ${session.id} --max-pause 1; echo "code $?"`)
    await screen.shows(/full screen more|code 0/)
    await screen.shows(/code 0/)
    expect(screen.state('alternate_on', 'cursor_flag')).toBe('0 1')
  })
})

/** A terminal whose `client` is the program. */
function terminal(place: Workplace, rest: ScriptedRest, cols: number): Tmux {
  const env = {
    HOOP_APIURL: rest.url,
    HOOP_TOKEN: 'the-token-of-a-test',
    A: main,
    N: process.execPath,
    TZ: 'UTC',
  }
  const screen = new Tmux(place, env, { rows: 24, cols })
  screen.enter('client() { "$N" "$A" "$@"; }; clear')
  return screen
}
