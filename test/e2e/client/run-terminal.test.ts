import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { main } from '../../support/sites/program.ts'
import { answer, done, RunbookGateway, RUNNING, SESSION } from '../../support/sites/runbook-gateway.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const FILE = 'ops/report.runbook.sql'

const declared = {
  name: FILE,
  metadata: {
    customer: {
      description: 'whose \u001b[31mreport',
      required: true,
      pattern: '^[0-9]+$',
      minlength: '3',
      order: 1,
    },
    state: { options: ['active', 'idle', 'gone'], required: true, order: 2 },
    password: { type: 'password', required: true, order: 3 },
    day: { type: 'date', order: 4 },
    limit: { type: 'number', default: '10', description: 'of rows', order: 5 },
  },
}

describe.skipIf(!hasTmux)('run on a terminal (tmux)', () => {
  it('asks for what is missing, checks it, offers options and defaults, and shows no password', async () => {
    await using gateway = await RunbookGateway.start(declared)
    gateway.answers(json(200, answer({ output: 'the report\n' })))
    using place = new Workplace()
    using screen = terminal(place, gateway)
    screen.enter(`run pg ${FILE}`)
    await screen.shows(/customer: whose \\x1b\[31mreport \(matches \^\[0-9\]\+\$, 3 characters at least\)/)
    screen.enter('ab')
    await screen.shows(/the value needs at least 3 characters/)
    screen.press('C-u')
    screen.enter('abc')
    await screen.shows(/the value has to match \^\[0-9\]\+\$/)
    screen.press('C-u')
    screen.enter('6736')
    await screen.shows(/state[^]*active[^]*idle[^]*gone/)
    screen.press('Down', 'Enter')
    await screen.shows(/password \(password\)/)
    screen.enter('hunter2')
    await screen.shows(/day \(date, may be empty\)/)
    screen.enter('2026-02-30')
    await screen.shows(/the value has to be a date such as 2026-01-31/)
    screen.press('C-u')
    screen.enter('2026-02-28')
    await screen.shows(/limit: of rows \(number\)[^\n]*10/)
    screen.press('Enter')
    await screen.shows(/the report/)
    expect(gateway.requests[0]?.['parameters']).toEqual({
      ...{ customer: '6736', state: 'idle', password: 'hunter2', day: '2026-02-28', limit: '10' },
    })
    expect(screen.screen()).not.toContain('hunter2')
  })

  it('asks for nothing that has a default with --defaults, and in no colours with NO_COLOR', async () => {
    await using gateway = await RunbookGateway.start({ name: FILE, metadata: { a: { default: '1' }, b: {} } })
    gateway.answers(json(200, answer({ output: 'ran\n', exit_code: 3, output_status: 'failed' })))
    using place = new Workplace()
    using screen = terminal(place, gateway, { NO_COLOR: '1' })
    screen.enter(`run pg ${FILE} --defaults`)
    await screen.shows(/\? b \(may be empty\)/)
    expect(screen.screen()).not.toMatch(/\? a/)
    expect(screen.coloured()).not.toContain('\u001b[3')
    screen.press('Enter')
    await screen.shows(/ran\nrunbook-agent: exit code 3 \(session 5701046a/)
    expect(gateway.requests[0]?.['parameters']).toEqual({ b: '' })
  })

  it('shows what a runbook declares, and lets none of it command the terminal', async () => {
    const metadata = { a: { default: '1\u001b]0;owned\u0007', pattern: '1\u001b' } }
    await using gateway = await RunbookGateway.start({ name: FILE, metadata })
    gateway.answers(json(200, answer({ output: 'ran\n' })))
    using place = new Workplace()
    using screen = terminal(place, gateway)
    screen.enter(`run pg ${FILE}`)
    await screen.shows(/\? a \(matches 1\\x1b, default 1\\x1b\]0;owned\\x07\)/)
    screen.enter('2')
    await screen.shows(/the value has to match 1\\x1b/)
    screen.press('C-u', 'Enter')
    await screen.shows(/^ran$/m)
    expect(gateway.requests[0]?.['parameters']).toEqual({ a: metadata.a.default })
  })

  it('sends nothing when the person gives up', async () => {
    await using gateway = await RunbookGateway.start(declared)
    using place = new Workplace()
    using screen = terminal(place, gateway)
    screen.enter(`run pg ${FILE}; echo "code $?"`)
    await screen.shows(/customer/)
    screen.press('C-c')
    await screen.shows(/cancelled: nothing was sent\ncode 130/)
    expect(gateway.requests).toEqual([])
  })

  it('shows how long it runs and how much it has written, and takes that line away', async () => {
    await using gateway = await RunbookGateway.start({ name: FILE })
    gateway.answers(RUNNING).records({ event_size: 2048 }).wrote(Buffer.from('all of it\n'))
    using place = new Workplace()
    using screen = terminal(place, gateway)
    screen.enter(`run pg ${FILE}`)
    await screen.shows(/ops\/report\.runbook\.sql on pg: running, 0:0\d, 2\.0 KiB \(Ctrl-C detaches\)/)
    gateway.records(done(0))
    await screen.shows(/^all of it$/m)
    await screen.showsNot(/Ctrl-C detaches/)
  })

  it('detaches by Ctrl-C, and says how to come back', async () => {
    await using gateway = await RunbookGateway.start({ name: FILE })
    gateway.answers(RUNNING).records({})
    using place = new Workplace()
    using screen = terminal(place, gateway)
    screen.enter(`run pg ${FILE}; echo "code $?"`)
    await screen.shows(/running, 0:0\d/)
    screen.press('C-c')
    await screen.shows(new RegExp(`sessions output ${SESSION}[^]*code 130`))
  })
})

describe.skipIf(!hasTmux)('a question on a terminal (tmux) that a signal ends', () => {
  /** In one script: the line editor of a shell that prompts would mend the terminal. */
  const asking = (words: string) =>
    `stty -a > before; "$N" "$A" ${words}; echo "code $?"; stty -a > unfinished; mv unfinished after; exec sleep 1000`

  async function expectRestored(place: Workplace): Promise<void> {
    await waitFor(() => existsSync(place.at('after')))
    expect(readFileSync(place.at('after'), 'utf8')).toBe(readFileSync(place.at('before'), 'utf8'))
  }

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const)('has the terminal as it was, and sends nothing: %s', async (signal, code) => {
    await using rest = await ScriptedRest.start()
    using place = new Workplace()
    place.write('ask', asking(`login --api-url ${rest.url}`))
    using screen = new Tmux(place, { A: main, N: process.execPath })
    screen.enter('exec bash ./ask')
    await screen.shows(/Token of the gateway/)
    process.kill(screen.child(), signal)
    await screen.shows(new RegExp(`^runbook-agent: cancelled: nothing was sent\ncode ${code}$`, 'm'))
    await expectRestored(place)
    // How one signs in there; no token has gone anywhere.
    expect(rest.received.map(({ url }) => url)).toEqual(['/api/publicserverinfo'])
  })

  it('also where run asks, in each kind of question', async () => {
    const metadata = { one: { required: true, order: 1 }, two: { options: ['a', 'b'], order: 2 } }
    await using gateway = await RunbookGateway.start({ name: FILE, metadata })
    using place = new Workplace()
    place.write('ask', asking(`run pg ${FILE}`))
    using screen = new Tmux(place, { ...gateway.env, A: main, N: process.execPath })
    screen.enter('exec bash ./ask')
    await screen.shows(/\? one/)
    screen.enter('x')
    await screen.shows(/\? two/)
    expect(screen.state('cursor_flag')).toBe('0')
    process.kill(screen.child(), 'SIGTERM')
    await screen.shows(/^runbook-agent: cancelled: nothing was sent\ncode 143$/m)
    await expectRestored(place)
    expect(screen.state('cursor_flag')).toBe('1')
    expect(gateway.requests).toEqual([])
  })
})

describe.skipIf(!hasTmux)('login on a terminal (tmux)', () => {
  it('asks for the token unseen', async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/userinfo', json(200, { email: 'ada@example.test' }))
    using place = new Workplace()
    using screen = new Tmux(place, { A: main, N: process.execPath })
    screen.enter(`"$N" "$A" login --api-url ${rest.url}`)
    await screen.shows(/Token of the gateway/)
    screen.enter('a-token-that-nobody-sees')
    await screen.shows(/signed in to \S+ as ada@example\.test/)
    expect(screen.screen()).not.toContain('nobody')
    expect(rest.received.find(({ url }) => url === '/api/userinfo')?.headers.authorization).toBe(
      'Bearer a-token-that-nobody-sees',
    )
  })
})

/** A terminal whose `run` is the program's. */
function terminal(
  place: Workplace,
  gateway: RunbookGateway,
  env: Readonly<Record<string, string>> = {},
): Tmux {
  const screen = new Tmux(place, { ...gateway.env, A: main, N: process.execPath, ...env })
  screen.enter('run() { "$N" "$A" run "$@"; }; clear')
  return screen
}
