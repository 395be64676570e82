import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isAlive } from '../../support/machine/processes.ts'
import { main } from '../../support/sites/program.ts'
import { shell } from '../../support/terminals/shell.ts'
import { Site } from '../../support/sites/site.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { waitFor } from '../../support/wait.ts'

// A person at a terminal, the embedded gateway and an agent: three processes of the built program.

const connections = [
  { name: 'console', command: ['bash', '--norc', '--noprofile', '-i'], env: { PS1: 'remote$ ' } },
  { name: 'runbooks-only', command: ['bash'], access: { exec: false, connect: false } },
]

/** Programs at the other end run in the home of the agent's user. */
const MODES = ['alternate_on', 'cursor_flag', 'mouse_any_flag', 'keypad_flag', 'keypad_cursor_flag'] as const
const USUAL = '0 1 0 0 0'

let site: Site

const clientEnv = () => ({ HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token })

function terminal(env: Record<string, string> = {}): Tmux {
  site.place.write(
    'connect',
    `rm -f after; stty -a > before; ${process.execPath} ${main} connect --quiet "$@"; echo "code $?"; stty -a > unfinished; mv unfinished after\n`,
  )
  return new Tmux(site.place, { ...clientEnv(), ...env })
}

async function connected(tmux: Tmux): Promise<void> {
  tmux.enter('. ./connect console')
  await tmux.shows(/^remote\$ ?$/m)
}

async function expectRestored(tmux: Tmux): Promise<void> {
  await waitFor(() => existsSync(site.place.at('after')))
  expect(tmux.state(...MODES)).toBe(USUAL)
  expect(readFileSync(site.place.at('after'), 'utf8')).toBe(readFileSync(site.place.at('before'), 'utf8'))
}

interface Remote {
  readonly pid: number
  readonly sessionId: string
}

/** What the remote shell says of itself, in a file on the agent's machine. */
async function remoteOf(tmux: Tmux): Promise<Remote> {
  const file = site.place.at('remote')
  rmSync(file, { force: true })
  tmux.enter(`echo $$ $HOOP_SESSION_ID > ${file}.new; mv ${file}.new ${file}`)
  await waitFor(() => existsSync(file))
  const [pid, sessionId = ''] = readFileSync(file, 'utf8').trim().split(' ')
  return { pid: Number(pid), sessionId }
}

/** vi has taken over the screen. */
async function inVi(tmux: Tmux, file: string): Promise<void> {
  tmux.enter(`vi -u NONE ${file}`)
  await waitFor(() => tmux.state('alternate_on') === '1')
  await tmux.shows(/^~$/m)
}

/**
 * Types a command that says by `word` when it has the terminal: the shell itself ignores Ctrl-C, Ctrl-Z and Ctrl-\, and
 * Ctrl-D is an end only for who reads lines.
 */
async function begun(tmux: Tmux, word: string, command: string): Promise<void> {
  tmux.enter(`(echo ${word}; exec ${command})`)
  await tmux.shows(new RegExp(`^${word}$`, 'm'))
}

// The agent is not waited for: one that is away is to be noticed at once. Neither does a gateway that stops wait long
// for sessions, which nobody here ends.
async function startSite(): Promise<void> {
  site = await Site.start({ connections, stopTimeout: '100ms', limits: { 'agent-wait': '0s' } })
}
const endSite = () => site[Symbol.asyncDispose]()

/** The test of one way in which a session ends under a full-screen program. */
function restores(what: string, end: (remote: Remote) => Promise<void>, text: RegExp): void {
  test(`gets the terminal back when ${what}, and the remote programs are gone`, async () => {
    using tmux = terminal()
    await connected(tmux)
    const remote = await remoteOf(tmux)
    await inVi(tmux, 'file')
    await end(remote)
    await tmux.shows(text)
    await tmux.shows(/^code 254$/m)
    await expectRestored(tmux)
    // What a killed agent leaves running is ended by the next one.
    if (!isAlive(site.agent.pid)) await site.startAgent()
    await waitFor(() => !isAlive(remote.pid))
  })
}

describe.skipIf(!hasTmux)('a person at a terminal (tmux)', () => {
  beforeAll(startSite)
  afterAll(endSite)

  test('types a command, resizes the window, edits a file with vi, and gets the exit code', async () => {
    const file = site.place.at('edited')
    using tmux = terminal()
    await connected(tmux)
    tmux.enter('stty size; tty; echo $TERM')
    await tmux.shows(/^24 80\n\/dev\/pts\/\d+\nxterm-256color$/m)
    tmux.resize({ rows: 30, cols: 100 })
    tmux.enter('clear; until stty size | grep -x "30 100"; do :; done')
    await tmux.shows(/^30 100$/m)
    tmux.resize({ rows: 24, cols: 80 })
    await inVi(tmux, file)
    tmux.type('ihello ~. äöü')
    tmux.press('Escape')
    await tmux.shows(/^hello ~\. äöü$/m)
    tmux.enter(':wq')
    await waitFor(() => tmux.state('alternate_on') === '0')
    expect(readFileSync(file, 'utf8')).toBe('hello ~. äöü\n')
    tmux.enter('exit 3')
    await tmux.shows(/^code 3$/m)
    await expectRestored(tmux)
  })

  test('interrupts, suspends and ends remote programs with Ctrl-C, Ctrl-Z, Ctrl-\\ and Ctrl-D', async () => {
    using tmux = terminal()
    await connected(tmux)
    await begun(tmux, 'first', 'sleep 1000')
    // A signal from the keyboard throws away what is typed before the shell has the terminal back.
    tmux.press('C-c')
    await tmux.shows(/\^C\nremote\$ ?$/m)
    tmux.enter('echo "left $?"')
    await tmux.shows(/^left 130$/m)
    await begun(tmux, 'second', 'sleep 1000')
    tmux.press('C-z')
    await tmux.shows(/Stopped .*sleep 1000/)
    tmux.enter('kill %1; wait')
    await begun(tmux, 'third', 'cat')
    tmux.press('C-\\')
    await tmux.shows(/Quit.*\nremote\$ ?$/m)
    tmux.enter('echo "left $?"')
    await tmux.shows(/^left 131$/m)
    await begun(tmux, 'fourth', 'cat > /dev/null')
    tmux.enter('some text')
    tmux.press('C-d')
    tmux.enter('echo "left $?"')
    await tmux.shows(/^left 0\nremote\$ ?$/m)
    tmux.press('C-d')
    await tmux.shows(/^code \d+\nlocal\$/m)
    await expectRestored(tmux)
  })

  test('pastes a megabyte, and it arrives whole', async () => {
    const text = `${'0123456789 ~. äöü '.repeat(4)}\n`.repeat(14_000)
    const file = site.place.at('pasted')
    site.place.write('paste', text)
    using tmux = terminal()
    await connected(tmux)
    tmux.enter(`cat > ${file}; md5sum < ${file}`)
    await waitFor(() => existsSync(file))
    tmux.paste('paste')
    await waitFor(() => statSync(file).size === Buffer.byteLength(text), 30_000)
    tmux.press('C-d')
    await tmux.shows(new RegExp(createHash('md5').update(text).digest('hex')))
    expect(readFileSync(file, 'utf8') === text).toBe(true)
    tmux.enter('exit')
    await tmux.shows(/^code 0$/m)
  })

  test('leaves with a tilde and a dot: the remote programs end', async () => {
    using tmux = terminal()
    await connected(tmux)
    const { pid } = await remoteOf(tmux)
    await inVi(tmux, 'file')
    tmux.press('Enter')
    tmux.type('~.')
    await tmux.shows(/^code 254$/m)
    await expectRestored(tmux)
    await waitFor(() => !isAlive(pid))
  })

  restores(
    'the session is killed over REST',
    async ({ sessionId }) => expect(await site.rest.kill(sessionId)).toBe(204),
    /ended at the gateway: session killed by the user/,
  )
})

describe.skipIf(!hasTmux)('a person at a terminal, whose agent or gateway ends, (tmux)', () => {
  beforeEach(startSite)
  afterEach(endSite)

  restores(
    'the agent is killed',
    async () => {
      site.agent.signal('SIGKILL')
      await site.agent.ended()
    },
    /lost the agent of console/,
  )
  restores(
    'the gateway is killed',
    async () => {
      site.gateway.signal('SIGKILL')
      await site.gateway.ended()
    },
    /connection to the gateway \S+ was lost/,
  )
  restores(
    'the gateway is stopped',
    async () => {
      await site.gateway.stop()
    },
    /connection to the gateway \S+ was lost|the gateway \S+ was stopped, and has ended the session/,
  )
})

describe('who is not let in', () => {
  beforeEach(startSite)
  afterEach(endSite)

  /** Each way to the connection, with the exit code shown behind what it says. */
  const ways: readonly (readonly [string, (line: string) => string])[] = [
    ['exec', (more) => `runbook-agent exec --quiet ${more} -i ''`],
    ...(hasTmux ? [['connect', (more: string) => `runbook-agent connect --quiet ${more}`] as const] : []),
  ]

  /** At a terminal, since `connect` wants one. */
  async function told(
    way: (more: string) => string,
    connection: string,
    env: Record<string, string> = {},
  ): Promise<string> {
    const program = `runbook-agent() { ${process.execPath} ${main} "$@"; }`
    site.place.write('way', `${program}\n${way(connection)}\necho "code $?"\n`)
    if (!hasTmux) {
      const { stdout, stderr } = await shell(site.place, '. ./way', { ...clientEnv(), ...env })
      return stderr + stdout
    }
    using tmux = new Tmux(site.place, { ...clientEnv(), ...env })
    tmux.enter('clear; . ./way')
    await tmux.shows(/^code \d+\nlocal\$/m)
    return tmux.screen().replace(/\nlocal\$[^]*$/, '')
  }

  for (const [name, way] of ways) {
    test(`${name} says in one line why, with the exit code for it, and which connection may be meant`, async () => {
      expect(await told((more) => way(more).replace('--quiet ', ''), 'consol')).toMatch(
        /has no connection consol, or you have no access to it\nDid you mean console\?\ncode 64$/,
      )
      expect(await told(way, 'nowhere')).toMatch(
        /^runbook-agent: the gateway \S+ has no connection nowhere, or you have no access to it\ncode 64$/,
      )
      expect(await told(way, 'runbooks-only')).toMatch(
        new RegExp(
          `^runbook-agent: the gateway does not permit ${name} runbooks-only: ${name} is disabled for this connection\ncode 77$`,
        ),
      )
      const token = { HOOP_TOKEN: 'wrong-token-0123456789', HOOP_GRPCURL: site.grpc }
      expect(await told(way, 'console', token)).toMatch(
        /^runbook-agent: the gateway \S+ does not accept the token: invalid authentication\ncode 77$/,
      )
      await site.agent.stop()
      expect(await told(way, 'console')).toMatch(
        /^runbook-agent: the agent of console is offline: nothing has run\ncode 254$/,
      )
      const down = { HOOP_GRPCURL: site.grpc }
      await site.gateway.stop()
      expect(await told(way, 'console', down)).toMatch(
        /^runbook-agent: the gateway \S+ cannot be reached: .*ECONNREFUSED.*\ncode 69$/,
      )
      expect(await told(way, 'console')).toMatch(
        /^runbook-agent: .* cannot be reached: .*ECONNREFUSED.*\ncode 69$/,
      )
    })
  }
})
