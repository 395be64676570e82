import { status } from '@grpc/grpc-js'
import { existsSync, readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { main, Program } from '../../support/sites/program.ts'
import { own } from '../../support/owned.ts'
import { ServedClient } from '../../support/sites/served-client.ts'
import { shell } from '../../support/terminals/shell.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { found, waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

// The built program at a terminal, against a gateway that does what a test says.

let place: Workplace
let gateway: ServedClient

beforeEach(async () => {
  place = own(new Workplace())
  gateway = own(await ServedClient.start())
})

/** A shell that shows the exit code, and keeps the terminal's modes before and after. */
function terminal(env: Record<string, string> = {}): Tmux {
  const tmux = new Tmux(place, { ...gateway.env, ...env })
  place.write(
    'connect',
    `stty -a > before; ${process.execPath} ${main} connect "$@"; echo "code $?"; stty -a > unfinished; mv unfinished after\n`,
  )
  return tmux
}

const CONNECT = '. ./connect bash'

/** What a full-screen program does first. */
const FULL_SCREEN = '\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?2004h\x1b[?1h\x1b=\x1b[31m'
const STATE = ['alternate_on', 'cursor_flag', 'mouse_any_flag', 'keypad_flag', 'keypad_cursor_flag'] as const
const USUAL = '0 1 0 0 0'

async function expectRestored(tmux: Tmux): Promise<void> {
  await waitFor(() => tmux.state(...STATE) === USUAL)
  await waitFor(() => existsSync(place.at('after')))
  expect(readFileSync(place.at('after'), 'utf8')).toBe(readFileSync(place.at('before'), 'utf8'))
}

const keys = () => Buffer.concat(gateway.sent('AgentTerminalWriteStdin').slice(1))

describe.skipIf(!hasTmux)('connect at a terminal (tmux)', () => {
  test('sends the first byte, the size, every key and every new size; the code is the program’s', async () => {
    using tmux = terminal()
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    expect(gateway.sent('AgentTerminalResizeTTY').map(String)).toEqual(['24,80,0,0'])
    expect(gateway.sent('AgentTerminalWriteStdin').map(String)).toEqual(['\n'])
    tmux.type('ls -l "$x"')
    tmux.press('Enter', 'C-c', 'C-z', 'C-d', 'C-\\', 'C-s', 'C-q', 'C-v', 'Up')
    const typed = 'ls -l "$x"\r\x03\x1a\x04\x1c\x13\x11\x16\x1b[A'
    await waitFor(() => keys().length >= typed.length)
    expect(keys().toString()).toBe(typed)
    tmux.resize({ rows: 30, cols: 100 })
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').map(String).includes('30,100,0,0'))
    gateway.close(7)
    await tmux.shows(/^code 7$/m)
  })

  test('tells the size again that the window got while it was stopped', async () => {
    using tmux = terminal()
    tmux.enter(`"${process.execPath}" "${main}" connect bash`)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    process.kill(tmux.child(), 'SIGSTOP')
    await tmux.shows(/Stopped/)
    tmux.resize({ rows: 30, cols: 100 })
    tmux.enter('clear; stty size')
    await tmux.shows(/^30 100$/m)
    expect(gateway.sent('AgentTerminalResizeTTY').map(String)).toEqual(['24,80,0,0'])
    tmux.enter('fg')
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').map(String).includes('30,100,0,0'))
    gateway.close(0)
  })

  test('the output reaches the screen as it is, line ends included', async () => {
    using tmux = terminal()
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    gateway.stdout('one\n  two\nthree\r\nüñ€\r\n')
    // A line feed alone moves down: what comes behind it is not at the beginning of the line.
    await tmux.shows(/^one\n +two\n +three\nüñ€$/m)
    expect(tmux.screen()).toMatch(/^one\n {5}two\n {8}three\n/m)
    gateway.close(0)
    await tmux.shows(/^code 0$/m)
  })

  test('a paste of a megabyte arrives whole, whatever is in it', async () => {
    const line = '~. not the end, 0123456789 äöü\n'
    const paste = line.repeat(Math.ceil((1024 * 1024) / Buffer.byteLength(line)))
    place.write('paste', paste)
    using tmux = terminal()
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    gateway.stdout('\x1b[?2004hready')
    await tmux.shows(/ready/)
    tmux.paste('paste')
    const marked = `\x1b[200~${paste}\x1b[201~`
    await waitFor(() => keys().length >= Buffer.byteLength(marked))
    expect(keys().toString() === marked).toBe(true)
    gateway.stdout('\r\n')
    gateway.close(0)
    await tmux.shows(/^code 0$/m)
  })

  const ends = [
    ['the program ends', () => gateway.close(3), 3, /^code 3$/m],
    [
      'the program is killed',
      () => gateway.close(137, 'killed by signal 9 (SIGKILL)'),
      137,
      /^killed by signal 9/m,
    ],
    [
      'the session is killed',
      () => gateway.fail(status.UNKNOWN, 'session killed by the user'),
      254,
      /killed by the user/,
    ],
    [
      'the agent is lost',
      () => gateway.fail(status.UNKNOWN, 'agent has disconnected'),
      254,
      /lost the agent of bash/,
    ],
    [
      'the gateway is lost',
      () => void gateway[Symbol.asyncDispose](),
      254,
      /connection to the gateway \S+ was lost/,
    ],
  ] as const
  for (const [what, end, code, text] of ends) {
    test(`restores the terminal when ${what}`, async () => {
      using tmux = terminal()
      tmux.enter(CONNECT)
      await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
      gateway.stdout(`${FULL_SCREEN}a program`)
      await tmux.shows(/a program/)
      expect(tmux.state(...STATE)).toBe('1 0 1 1 1')
      end()
      await tmux.shows(text)
      await tmux.shows(new RegExp(`^code ${code}$`, 'm'))
      await expectRestored(tmux)
    })
  }

  test('keeps what is on the screen and above it, and the place of the cursor, when the program ends', async () => {
    using tmux = terminal()
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    const lines = Array.from({ length: 60 }, (_, index) => `\x1b[32mline ${index}\x1b[m\r\n`)
    gateway.stdout(lines.join(''))
    await tmux.shows(/^line 59$/m)
    gateway.close(0)
    await tmux.shows(/^line 58\nline 59\ncode 0\n/m)
    expect(Number(tmux.state('history_size'))).toBeGreaterThan(30)
    await expectRestored(tmux)
  })

  test('a tilde and a dot at the beginning of a line leave, and restore the terminal', async () => {
    let cancelled = false
    using tmux = terminal()
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    gateway.gateway.stream?.on('cancelled', () => (cancelled = true))
    tmux.type('~?')
    await tmux.shows(/~\. {2}ends the session/)
    gateway.stdout(`${FULL_SCREEN}a program`)
    await tmux.shows(/a program/)
    tmux.type('x~.~')
    tmux.press('Enter')
    tmux.type('~~~.')
    tmux.press('Enter')
    await waitFor(() => keys().toString() === 'x~.~\r~~.\r')
    tmux.type('~.')
    await tmux.shows(/left bash/)
    await tmux.shows(/^code 254$/m)
    await expectRestored(tmux)
    await waitFor(() => cancelled)
  })

  for (const [signal, code] of [
    ['TERM', 143],
    ['HUP', 129],
    ['INT', 130],
    ['QUIT', 131],
  ] as const) {
    test(`SIG${signal} restores the terminal`, async () => {
      using tmux = terminal()
      tmux.enter(CONNECT)
      await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
      gateway.stdout(`${FULL_SCREEN}a program`)
      await tmux.shows(/a program/)
      process.kill(tmux.child(), `SIG${signal}`)
      await tmux.shows(new RegExp(`^code ${code}$`, 'm'))
      await expectRestored(tmux)
    })
  }

  test('a crash restores the terminal before it is reported', async () => {
    const crash = place.write('crash.mjs', "process.on('SIGUSR2', () => { throw new Error('a crash') })\n")
    using tmux = terminal({ NODE_OPTIONS: `--import=${crash}` })
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    gateway.stdout(`${FULL_SCREEN}a program`)
    await tmux.shows(/a program/)
    process.kill(tmux.child(), 'SIGUSR2')
    await tmux.shows(/^code 1$/m)
    expect(tmux.screen()).toMatch(/^Error: a crash\n {4}at /m)
    await expectRestored(tmux)
  })

  test('a terminal that is closed ends the session', async () => {
    let cancelled = false
    const tmux = terminal()
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    gateway.gateway.stream?.on('cancelled', () => (cancelled = true))
    tmux[Symbol.dispose]()
    await waitFor(() => cancelled)
  })

  test('says what is waited for when it takes long', async () => {
    gateway.onOpen = () => undefined
    using tmux = terminal()
    tmux.enter(CONNECT)
    await tmux.shows(/^runbook-agent: waiting for bash at 127\.0\.0\.1:\d+$/m)
    gateway.open()
    await tmux.shows(/connected to bash/)
    gateway.close(0)
    await tmux.shows(/^code 0$/m)
  })

  test('Ctrl-C ends the wait for an agent or an approval', async () => {
    gateway.onOpen = () => gateway.send('ClientSessionOpenWaitingApproval', 'https://gateway/sessions/1')
    using tmux = terminal()
    tmux.enter(CONNECT)
    await tmux.shows(/waiting for approval: https:\/\/gateway\/sessions\/1/)
    tmux.press('C-c')
    await found(() => /^code 130$/m.exec(tmux.screen()) ?? undefined)
  })

  test('a database has a terminal of its program; what has no program is refused', async () => {
    using tmux = terminal()
    gateway.opened = { 'gateway.connection_type': 'postgres', 'client.command': 'psql -h $HOST' }
    tmux.enter(CONNECT)
    await waitFor(() => gateway.sent('AgentTerminalResizeTTY').length > 0)
    gateway.close(0)
    await tmux.shows(/^code 0$/m)
    gateway.opened = { 'gateway.connection_type': 'tcp', 'client.command': '' }
    tmux.enter(CONNECT)
    await tmux.shows(/bash is of type tcp and has no program for a terminal/)
    await tmux.shows(/^code 64$/m)
  })

  const refusals = [
    [status.UNAUTHENTICATED, 'invalid authentication', 77, /does not accept the token/],
    [status.NOT_FOUND, 'connection not found', 64, /has no connection bash/],
    [status.FAILED_PRECONDITION, 'agent is offline', 254, /agent of bash is offline/],
    [
      status.FAILED_PRECONDITION,
      'connect is disabled for this connection',
      77,
      /does not permit connect bash/,
    ],
  ] as const
  for (const [grpc, details, code, text] of refusals) {
    test(`exits with ${code} when the gateway says: ${details}`, async () => {
      gateway.onOpen = () => gateway.fail(grpc, details)
      using tmux = terminal()
      tmux.enter(CONNECT)
      await tmux.shows(text)
      await tmux.shows(new RegExp(`^code ${code}$`, 'm'))
    })
  }

  test('exits with 69 when nobody listens', async () => {
    using tmux = terminal({ HOOP_GRPCURL: 'grpc://127.0.0.1:1' })
    tmux.enter(CONNECT)
    await tmux.shows(/the gateway 127\.0\.0\.1:1 cannot be reached/)
    await tmux.shows(/^code 69$/m)
  })
})

test.skipIf(!hasTmux)('exec at a terminal (tmux) is refused when there is nothing to run', async () => {
  using tmux = terminal()
  place.write('exec', `${process.execPath} ${main} exec bash "$@"; echo "code $?"\n`)
  tmux.enter('. ./exec')
  await tmux.shows(/the script is missing: use -i, -f or/)
  await tmux.shows(/^code 64$/m)
  expect(gateway.sent('AgentSessionOpen')).toEqual([])
  gateway.onPacket = ({ type }) => {
    if (type === 'AgentExecWriteStdin') gateway.close(0)
  }
  tmux.enter('clear; . ./exec -- -c true')
  await tmux.shows(/^code 0$/m)
  expect(gateway.sent('AgentExecWriteStdin').map(String)).toEqual([''])
})

test('connect without a terminal is refused, and names exec', async () => {
  const { code, stderr } = await shell(
    place,
    'runbook-agent connect bash | cat; exit ${PIPESTATUS[0]}',
    gateway.env,
  )
  expect(code).toBe(64)
  expect(stderr).toMatch(/^runbook-agent: connect needs a terminal .*runbook-agent exec\n$/)
})

describe('connect --port on a connection of the type tcp', () => {
  const LOST = 'a client that does so is reset before it has the whole answer'

  test.each([
    ['says that no client can end one direction, if the agent does not say that it can', {}, true],
    ['says nothing about that, if the agent can', { 'agent.half_closes': '1' }, false],
  ])('%s', async (_title, told, isLost) => {
    gateway.opened = { 'gateway.connection_type': 'tcp', 'client.command': '', ...told }
    await using port = new Program(place, ['connect', 'bash', '--port', '0'], gateway.env)
    await port.says('stderr', /listens on 127\.0\.0\.1:\d+[^]*Ctrl-C ends it\n/)
    expect(port.stderr.includes(LOST)).toBe(isLost)
  })
})
