import { execFileSync } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Development, startDevelopment } from '../support/sites/development.ts'
import { findsPostgres } from '../../src/commands/dev/postgres.ts'
import { Gate } from '../support/gate.ts'
import {
  childrenOf,
  commandLineOf,
  descendantsOf,
  environmentOf,
  isAlive,
} from '../support/machine/processes.ts'
import { main, runProgram, type Program } from '../support/sites/program.ts'
import { Rest, type Answer } from '../support/scripted/rest.ts'
import { Shell } from '../support/terminals/shell.ts'
import { hasTmux, Tmux } from '../support/terminals/tmux.ts'
import { found, waitFor } from '../support/wait.ts'
import { Workplace } from '../support/sites/workplace.ts'

const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)
/** Beside the agent, `dev` has git as a child. */
const agentOf = (dev: number) => childrenOf(dev).find((pid) => commandLineOf(pid).includes('main.js start '))
const hello = { parameters: { name: 'world' } }

/** What a program prints that cannot start. */
const oneLine = (...parts: string[]) =>
  new RegExp(`^runbook-agent: [^\\n]*${parts.join('[^\\n]*')}[^\\n]*\\n$`)

describe('dev --json', () => {
  let place: Workplace
  let dev: Development
  beforeAll(async () => {
    place = new Workplace()
    dev = await Development.start(place, { HOOP_KEY: 'grpc://other:foreign-key@127.0.0.1:1' })
  })
  afterAll(async () => {
    await dev[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })

  it('offers each example on the connection that it is for, under names and no path of this machine', async () => {
    const { body } = await dev.rest.send('GET', '/api/runbooks?list_connections=true')
    const { repositories } = JSON.parse(body) as {
      repositories: { repository: string; items: { name: string; connections: string[] }[] }[]
    }
    const offered = repositories.flatMap(({ repository, items }) =>
      items.map(({ name, connections }) => `${repository} ${name}: ${connections.join()}`),
    )
    expect(offered.toSorted()).toEqual([
      'example-shop example-orders/refund.runbook.js: example-orders',
      'example-shop example-orders/revenue.runbook.js: example-orders',
      'example-shop example-shops/stock.runbook.js: example-berlin,example-lisbon,example-oslo,example-vienna',
      'examples ops/disk-usage.runbook.sh: bash',
      'examples ops/hello.runbook.sh: bash',
      'examples python/report.runbook.py: python',
      ...((await findsPostgres()) ? ['examples sql/activity.runbook.sql: postgres'] : []),
    ])
    expect(body).not.toContain(place.path)
  })

  it('prints a link that signs a browser in once, and leads to Home at the first start', async () => {
    const { http, page } = dev.ready
    const link = new URL(page)
    expect(link.origin + link.pathname + link.search).toBe(`${http}/sign-in`)
    expect((await fetch(link, { headers: { connection: 'close' } })).status).toBe(200)
    const code = link.hash.replace('#code=', '')
    const signIn = () =>
      fetch(`${http}/api/page/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ code }),
      })
    const [first, second] = [await signIn(), await signIn()]
    expect([first.status, second.status]).toEqual([200, 410])
    expect(await first.json()).toMatchObject({
      name: 'admin',
      next: '/',
    })
    expect(await second.text()).toContain('press Enter')
  })

  it('prints with --json one line on stdout that says where everything is', () => {
    const { event, http, grpc, tokenFile, pid, agentPid } = dev.ready
    expect(dev.program.stdout.split('\n')).toEqual([JSON.stringify(dev.ready), ''])
    expect([event, tokenFile, pid]).toEqual(['ready', place.at('state', 'admin.token'), dev.program.pid])
    expect(http).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
    expect(grpc).toMatch(/^grpc:\/\/127\.0\.0\.1:[1-9]\d*$/)
    expect(childrenOf(pid)).toContain(agentPid)
    expect(commandLineOf(agentPid)).toMatch(/main\.js start /)
  })

  it('keeps token, keys, settings and history in files and folders that only their owner can open', () => {
    expect(mode(dev.ready.tokenFile)).toBe('600')
    expect(mode(place.at('state'))).toBe('700')
    for (const name of ['agent.key', 'agent.credential', 'gateway.yaml', 'history.sqlite'])
      expect([name, mode(place.at('state', name))]).toEqual([name, '600'])
  })

  it('runs what is committed in its repository, without a restart', async () => {
    const folder = place.at('state', 'runbooks')
    place.write('state/runbooks/ops/new.runbook.sh', 'echo {{ .what | required "what?" }}\n')
    const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { env: place.env })
    git('add', '--all')
    git('-c', 'user.name=x', '-c', 'user.email=x@example.test', 'commit', '--quiet', '--message=New')
    const reply = await dev.rest.runbook('bash', 'ops/new.runbook.sh', { parameters: { what: 'committed' } })
    expect(reply.body).toMatchObject({ output: 'committed\n', exit_code: 0 })
  })

  it('does not give the key to the agent in its environment, nor does the agent to its commands', async () => {
    const key = readFileSync(place.at('state', 'agent.key'), 'utf8').trim()
    const { body } = await dev.rest.script('bash', 'env; tr "\\0" "\\n" < /proc/$PPID/environ')
    for (const environment of [environmentOf(dev.ready.agentPid), body.output]) {
      expect(environment).toContain('PATH=')
      expect(environment).not.toContain(key)
      expect(environment).not.toContain('foreign-key')
    }
  })

  it('says in one line what to do, and exits with 78, in a state folder that another one uses', async () => {
    const second = await runProgram(place, ['dev', '--state', 'state', '--http', '0', '--grpc', '0'])
    expect(second).toMatchObject({ code: 78, stdout: '' })
    expect(second.stderr).toMatch(oneLine('another gateway is using it', 'another state folder'))
    const reply = await dev.rest.runbook('bash', 'ops/hello.runbook.sh', hello)
    expect(reply.body.exit_code).toBe(0)
  })
})

describe('dev, for people,', () => {
  let place: Workplace
  let dev: Program
  beforeAll(() => {
    place = new Workplace()
    dev = startDevelopment(place)
  })
  afterAll(async () => {
    await dev[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })

  it('prints a curl command that bash runs as it is printed, and that answers 200 with a success', async () => {
    const [, command] = await dev.says('stdout', /or without this program:\n\n(curl [^]*)\n\nCtrl-C/)
    // The command is not touched; curl itself is told here to add the status.
    place.write('home/.curlrc', 'write-out = "\\n%{http_code}"\n')
    const answered = execFileSync('bash', ['-c', command ?? ''], { env: place.env, encoding: 'utf8' })
    const [body = '', status] = answered.split(/\n(?=\d+$)/)
    expect(status).toBe('200')
    const answer = JSON.parse(body) as Answer
    expect([answer.exit_code, answer.output_status]).toEqual([0, 'success'])
    expect(answer.output).toContain('hello, world\nargument: first-argument\nsecret file: 600, 19 bytes\n')
    expect(dev.stdout).toContain('succeeded, exit code 0')
  })

  it('prints two commands that sign in and run a runbook as they are printed', async () => {
    const [, commands] = await dev.says('stdout', /Run it yourself:\n\n([^]*?)\n\nor without/)
    const printed = execFileSync('bash', ['-ec', commands ?? ''], {
      env: place.env,
      encoding: 'utf8',
      stdio: 'pipe',
    })
    expect(printed).toBe('hello, world\nargument: none\n')
  })
})

describe('dev, when it starts', () => {
  it.skipIf(!hasTmux)(
    'prints a new link at each Enter, and reads no terminal in the background (tmux)',
    async () => {
      using place = new Workplace()
      using window = new Tmux(place, {}, { rows: 60, cols: 160 })
      window.enter(`${process.execPath} ${main} dev --state state --http 127.0.0.1:0 --grpc 127.0.0.1:0`)
      await window.shows(/Ctrl-C ends the gateway and the agent/)
      const links = () => new Set(window.screen().match(/#code=[\w-]+/g))
      expect(links().size).toBe(1)
      window.press('Enter')
      await waitFor(() => links().size === 2)
      window.press('C-z')
      await window.shows(/Stopped/)
      window.enter('bg')
      window.enter('echo still he""re')
      await window.shows(/still here/)
      window.press('Enter')
      window.enter('jobs; echo job""s-shown')
      await window.shows(/jobs-shown/)
      expect(window.screen()).toMatch(/Running .*dev/)
      expect(links().size).toBe(2)
      window.enter('fg')
      window.press('Enter')
      await waitFor(() => links().size === 3)
      window.press('C-c')
      await window.shows(/code 0/)
    },
  )

  it('starts its agent with settings of its own, and keeps them, its token and its history over a restart', async () => {
    using place = new Workplace()
    const installed = place.write('installed.yaml', 'log: {level: debug}\n')
    await using first = await Development.start(place, { RUNBOOK_AGENT_CONFIG: installed })
    const file = place.at('state', 'agent.yaml')
    // Without it the agent would read /etc/runbook-agent/agent.yaml.
    expect(commandLineOf(first.ready.agentPid)).toContain(`start --config ${file} `)
    expect(readFileSync(file, 'utf8')).toMatch(/^#.*\n$/)
    const token = readFileSync(first.ready.tokenFile, 'utf8')
    const { body: greeted } = await first.rest.runbook('bash', 'ops/hello.runbook.sh', hello)
    expect((await first.program.stop()).code).toBe(0)
    place.write('state/agent.yaml', 'output: {cap: 1KiB}\n')
    await using second = await Development.start(place)
    expect(readFileSync(second.ready.tokenFile, 'utf8')).toBe(token)
    const session = await second.rest.session(greeted.session_id)
    expect([session.status, session.exit_code, session.event_stream]).toEqual(['done', 0, [greeted.output]])
    const { body } = await second.rest.script('bash', 'head -c 5000 /dev/zero | tr "\\0" x')
    expect(body.output).toContain('bytes of output left out')
  })
})

describe('dev, when it cannot start, says in one line what to do and exits with 78', () => {
  it('on a port that is taken', async () => {
    using place = new Workplace()
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const port = String((taken.address() as AddressInfo).port)
    for (const ports of [
      ['--http', port, '--grpc', '0'],
      ['--http', '0', '--grpc', port],
    ]) {
      const ended = await runProgram(place, ['dev', '--state', 'state', ...ports])
      expect(ended).toMatchObject({ code: 78, stdout: '' })
      expect(ended.stderr).toMatch(oneLine(port, 'the port is in use', 'choose other ports'))
    }
    taken.close()
  })

  it('without git', async () => {
    using place = new Workplace()
    mkdirSync(place.at('empty'))
    const ended = await runProgram(place, ['dev', '--state', 'state'], { PATH: place.at('empty') })
    expect(ended).toMatchObject({ code: 78, stdout: '' })
    expect(ended.stderr).toMatch(oneLine('cannot run git', 'Install git'))
  })

  it('in a folder that cannot be written', async () => {
    using place = new Workplace()
    const file = place.write('a-file', '')
    const ended = await runProgram(place, ['dev', '--state', `${file}/state`])
    expect(ended).toMatchObject({ code: 78, stdout: '' })
    expect(ended.stderr).toMatch(oneLine(`${file}/state`, 'ENOTDIR', '--state'))
  })
})

describe('dev, while it serves', () => {
  it('ends itself, its agent and what runs on Ctrl-C, and the caller gets an answer', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    using gate = new Gate(place)
    const reply = dev.rest.script('bash', gate.script)
    await gate.reached()
    const all = [dev.ready.pid, ...descendantsOf(dev.ready.pid)]
    expect(all.length).toBeGreaterThanOrEqual(3)
    dev.program.signal('SIGINT')
    expect((await reply).body).toMatchObject({ output_status: 'failed', exit_code: -2 })
    // In good order: an agent that does not end by itself is killed after 40 s.
    expect(await dev.program.ended(12_000)).toEqual({ code: 0, signal: null })
    expect(all.filter(isAlive)).toEqual([])
  })

  it.skipIf(!hasTmux)('ends in the same order when its window is closed (tmux)', async () => {
    using place = new Workplace()
    const words = ['dev', '--state', 'state', '--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0']
    const window = new Tmux(place, {}, { rows: 40, cols: 160 })
    window.enter([process.execPath, main, ...words].join(' '))
    const [, http = ''] = await window.shows(/gateway {3}(\S+) \(REST\)[^]*Ctrl-C ends/)
    using gate = new Gate(place)
    const token = readFileSync(place.at('state', 'admin.token'), 'utf8').trim()
    const reply = new Rest(http, token).script('bash', gate.script)
    await gate.reached()
    const dev = window.child()
    const all = [dev, ...descendantsOf(dev)]
    expect(all.length).toBeGreaterThanOrEqual(3)
    window[Symbol.dispose]()
    expect((await reply).body).toMatchObject({ output_status: 'failed', exit_code: -2 })
    await waitFor(() => !all.some(isAlive))
  })

  it('ends in good order when nobody reads any more what it says', async () => {
    using place = new Workplace()
    const dev = 'runbook-agent dev --state state --http 127.0.0.1:0 --grpc 127.0.0.1:0'
    const read = `grep -m1 'Ctrl-C ends'`
    await using line = new Shell(place, `trap : TERM; { trap : TERM; ${dev}; echo "code $?" >&2; } | ${read}`)
    await line.says('stdout', 'Ctrl-C ends')
    line.signal('SIGTERM')
    // The reader may still have been there to be told too.
    expect((await line.ended()).stderr).toContain('code 0\n')
  })

  it('takes SIGHUP for a SIGTERM, however often it comes', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    using gate = new Gate(place)
    const reply = dev.rest.script('bash', gate.script)
    await gate.reached()
    dev.program.signal('SIGHUP')
    await dev.program.says('stderr', /stopping/)
    dev.program.signal('SIGHUP')
    expect((await reply).body).toMatchObject({ output_status: 'failed', exit_code: -2 })
    expect(await dev.program.ended()).toEqual({ code: 0, signal: null })
  })

  it('takes its agent with it, and what the agent runs, when it is killed', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    using gate = new Gate(place)
    const reply = dev.rest.script('bash', gate.script).catch((error: unknown) => error)
    const [waiting] = await gate.reached()
    dev.program.signal('SIGKILL')
    expect(await reply).toBeInstanceOf(Error)
    expect(await dev.program.ended()).toEqual({ code: null, signal: 'SIGKILL' })
    await waitFor(() => !isAlive(dev.ready.agentPid) && !isAlive(waiting.pid))
  })

  it('starts its agent again when it dies, says so, and runs the next runbook', async () => {
    using place = new Workplace()
    await using dev = startDevelopment(place)
    const [, http = ''] = await dev.says('stdout', /gateway {3}(\S+) \(REST\)[^]*Ctrl-C/)
    const first = agentOf(dev.pid) ?? NaN
    process.kill(first, 'SIGKILL')
    await dev.says('stdout', /the agent ended \(SIGKILL\); restarting it/)
    const second = await found(() => agentOf(dev.pid))
    expect(second).not.toBe(first)
    const token = readFileSync(place.at('state', 'admin.token'), 'utf8').trim()
    const reply = await new Rest(http, token).runbook('bash', 'ops/hello.runbook.sh', hello)
    expect(reply.body).toMatchObject({ exit_code: 0, output_status: 'success' })
  })
})
