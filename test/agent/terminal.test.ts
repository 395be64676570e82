import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Packet } from '../../src/wire/packet.ts'
import type { ConnectionParams } from '../../src/wire/params.ts'
import { base64 } from '../support/scripted/open.ts'
import { isAlive } from '../support/machine/processes.ts'
import { RemoteConsole } from '../support/scripted/remote-console.ts'
import { agentForEachTest, gateway, restart, running } from '../support/sites/each-agent.ts'
import type { AgentOptions } from '../support/sites/running-agent.ts'
import { found, waitFor } from '../support/wait.ts'

agentForEachTest({ killGraceMs: 400 })

const ended = ({ spec, payload }: Packet) => [String(spec['client.exit_code']), String(payload).trimStart()]
/** A shell's script; in an argument the agent would take each `$` for one of the session's variables. */
const program = (script: string, env: Record<string, string> = {}): Partial<ConnectionParams> => ({
  cmdList: ['bash', '-c', '$SCRIPT'],
  envVars: new Map(
    Object.entries({ SCRIPT: script, ...env }).map(([name, text]) => [`envvar:${name}`, base64(text)]),
  ),
})

/** A program that has started and says its pid. */
async function started(script: string): Promise<{ console: RemoteConsole; pid: number }> {
  const console = await RemoteConsole.open(gateway, 's1', program(`echo pid $$; ${script}`))
  console.begin()
  const [, pid] = await console.says(/pid (\d+)\r\n/)
  return { console, pid: Number(pid) }
}

describe('a console', () => {
  it('begins with the first packet, which is not typed, and gets what comes meanwhile in order', async () => {
    const cat = await RemoteConsole.open(gateway, 's1', program('head -n 4 | tr a-z A-Z; exit 3'))
    cat.type('not typed\n')
    for (const line of ['one', 'two', 'three', 'four']) cat.type(`${line}\n`)
    expect(ended(await cat.ended())).toEqual(['3', ''])
    // How much of what is typed is echoed is by chance: the terminal's echo is on when it comes into being.
    expect(String(cat.output).replace(/[^A-Z\n]/g, '')).toContain('ONE\nTWO\nTHREE\nFOUR\n')
    expect(String(cat.output)).not.toContain('NOT')
    expect(gateway.of('s1').some(({ type }) => type === 'ClientWriteStderr')).toBe(false)
  })

  it('gets the keys that come in one piece with the packet that begins it', async () => {
    const shell = await RemoteConsole.open(gateway, 's1', program('read line; echo "got <$line>"'))
    shell.typeAtOnce('\n', 'first', ' second\n')
    await shell.ended()
    expect(String(shell.output)).toContain('got <first second>')
  })

  it('has TERM once, xterm-256color, whatever connection and client say', async () => {
    const environment = program('tr "\\0" "\\n" < /proc/$$/environ', { TERM: 'dumb' })
    const client = { 'envvar:TERM': base64('vt52') }
    const shell = await RemoteConsole.open(gateway, 's1', environment, client)
    shell.begin()
    await shell.ended()
    expect(String(shell.output).match(/^TERM=.*$/gm)).toEqual(['TERM=xterm-256color'])
  })

  it.each([
    ['before the first key', true],
    ['right behind it', false],
  ])('has the size that was said %s when its program looks for the first time', async (_, first) => {
    for (let round = 0; round < 10; round++) {
      const stty = await RemoteConsole.open(gateway, `s${round}`, { cmdList: ['stty', 'size'] })
      if (first) stty.resize('30,100,1600,960')
      stty.begin()
      if (!first) stty.resize('30,100,1600,960')
      await stty.ended()
      expect(String(stty.output)).toBe('30 100\r\n')
    }
  })

  it('is 80 by 24 when no size is said, and lives through sizes that are none', async () => {
    const stty = await RemoteConsole.open(gateway, 's1', program('stty size; read; stty size'))
    stty.begin()
    await stty.says(/24 80/)
    stty.resize('40,120')
    stty.resize('nonsense')
    stty.resize('40,120,0,0')
    stty.type('\n')
    await stty.says(/40 120/)
    expect(ended(await stty.ended())).toEqual(['0', ''])
  })

  it('brings every byte both ways', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const cat = await RemoteConsole.open(
      gateway,
      's1',
      program('stty raw -echo; printf ready; exec head -c 256'),
    )
    cat.begin()
    await cat.says(/ready/)
    cat.type(every)
    await cat.ended()
    expect(cat.output).toEqual(Buffer.concat([Buffer.from('ready'), every]))
  })

  it('shows everything: no cap, no redaction', async () => {
    await restart({ outputCapBytes: 1000 })
    const script = 'stty -opost; echo $PASSWORD; head -c 100000 /dev/zero | tr "\\0" x'
    const password = { PASSWORD: 'hunter2hunter2' }
    const shell = await RemoteConsole.open(gateway, 's1', program(script, password))
    shell.begin()
    await shell.ended()
    expect(String(shell.output)).toBe(`hunter2hunter2\n${'x'.repeat(100_000)}`)
  })

  it('holds its program up while the gateway does not read, and loses nothing', async () => {
    const stream = await found(() => gateway.stream)
    const { console, pid } = await started('stty -opost; exec head -c 10000000 /dev/zero')
    stream.pause()
    const written = () => Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
    let [before, same] = [-1, 0]
    await waitFor(() => {
      same = written() === before ? same + 1 : 0
      before = written()
      return before > 0 && same > 50
    }, 20_000)
    expect(written()).toBeLessThan(9_000_000)
    stream.resume()
    await console.ended()
    expect(console.output.length).toBe(Buffer.byteLength(`pid ${pid}\r\n`) + 10_000_000)
  })
})

describe('a console ends', () => {
  const hangs = 'exec sleep 1000'
  const books = () => running.entries.filter(({ event }) => event === 'started' || event === 'ended')

  it.each<[string, (console: RemoteConsole) => void, AgentOptions, string, string]>([
    ['when the gateway closes it', (console) => console.close(), {}, '129', 'closed-by-gateway'],
    ['when the agent is told to stop', () => running.agent.stop(), {}, '129', 'agent-stopping'],
    ['after execution.max-duration', () => undefined, { maxDurationMs: 300 }, '124', 'timeout'],
  ])('%s, with its reason in the books', async (_, end, options, code, reason) => {
    await restart({ killGraceMs: 400, ...options })
    const { console, pid } = await started(hangs)
    end(console)
    const [exitCode, text] = ended(await console.ended())
    expect(exitCode).toBe(code)
    expect(text).toMatch(/^ended by the agent: /)
    expect(isAlive(pid)).toBe(false)
    expect(books()).toMatchObject([
      { event: 'started', sid: 's1', pid, terminal: true },
      { event: 'ended', sid: 's1', reason, outcome: 'signaled', signal: 'SIGHUP' },
    ])
  })

  it('when the gateway is lost', async () => {
    const { pid } = await started(hangs)
    await gateway[Symbol.asyncDispose]()
    await waitFor(() => books().length === 2)
    expect(books()[1]).toMatchObject({ reason: 'gateway-lost', signal: 'SIGHUP', closeSent: false })
    expect(existsSync(`/proc/${pid}`)).toBe(false)
  })

  it('by itself, while the agent drains', async () => {
    const { console } = await started('read; exit 4')
    running.agent.drain()
    console.type('\n')
    expect(ended(await console.ended())).toEqual(['4', ''])
  })

  it('when it was closed while it was being started', async () => {
    for (let round = 0; round < 20; round++) {
      const console = await RemoteConsole.open(gateway, `s${round}`, program(hangs))
      console.begin()
      for (let turns = 0; turns < round * 20; turns++) await new Promise(setImmediate)
      console.close()
    }
    await waitFor(() => running.entries.filter(({ event }) => event === 'ended').length === 20)
    expect(running.services.slots.taken).toBe(0)
  })

  it('when more is typed than may wait, rather than with a hole in what was typed', async () => {
    const { console, pid } = await started('stty raw -echo; echo ready; exec sleep 1000')
    await console.says(/ready/)
    for (let i = 0; i < 6; i++) console.type(Buffer.alloc(1_000_000, 'x'))
    expect(ended(await console.ended())).toEqual([
      '129',
      'ended by the agent: the program does not read, and its waiting input takes 4 MiB',
    ])
    expect(isAlive(pid)).toBe(false)
  })

  it('with 127 when its program does not exist, whatever is typed', async () => {
    const console = await RemoteConsole.open(gateway, 's1', { cmdList: ['no-such-program'] })
    console.begin()
    for (let i = 0; i < 20; i++) console.type('x')
    expect(ended(await console.ended())[0]).toBe('127')
  })
})
