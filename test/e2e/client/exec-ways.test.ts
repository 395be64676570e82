import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive } from '../../support/machine/processes.ts'
import { own } from '../../support/owned.ts'
import { Program, runProgram, type Ending } from '../../support/sites/program.ts'
import { ServedClient } from '../../support/sites/served-client.ts'
import { Site } from '../../support/sites/site.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { waitFor } from '../../support/wait.ts'

// `exec` against our own gateway and agent: in frames, which it chooses by itself, and over gRPC, when the REST interface
// does not answer.

/** Tells at the end whether the program has loaded what gRPC needs. */
const REPORT = `process.on('exit', () => process._rawDebug('http2 ' + process.moduleLoadList.includes('NativeModule http2')))`
const CLOSED = 'http://127.0.0.1:9'

let site: Site

beforeAll(async () => {
  site = await Site.start({
    connections: [
      { name: 'guarded', command: ['bash'], guardrails: ['drops'] },
      { name: 'reviewed', command: ['bash'], review: { groups: ['admin'], 'self-approval': true } },
    ],
    guardrails: [{ name: 'drops', input: [{ type: 'deny_words_list', words: ['DROP'] }] }],
  })
})
afterAll(async () => site[Symbol.asyncDispose]())

function report(place: Workplace): Record<string, string> {
  return { NODE_OPTIONS: `--require=${place.write('report.cjs', REPORT, 0o644)}` }
}

describe('exec', () => {
  test('loads no gRPC for a gateway that is ours, and gRPC for another', async () => {
    const client = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token, ...report(site.place) }
    for (const streams of [{ HOOP_GRPCURL: site.grpc }, {}])
      expect(
        await runProgram(site.place, ['exec', 'bash', '-i', 'echo out'], { ...client, ...streams }),
      ).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'http2 false\n' })

    const place = own(new Workplace())
    const other = own(await ServedClient.start('gRPC'))
    other.onPacket = ({ type }) => type === 'AgentExecWriteStdin' && other.close(0)
    // Its REST interface is not ours: it knows no such address.
    for (const rest of [other.env['HOOP_APIURL'] ?? '', `http://${site.address}/of-another`])
      expect(
        await runProgram(place, ['exec', 'bash', '-i', 'x'], {
          ...other.env,
          ...report(place),
          HOOP_APIURL: rest,
        }),
      ).toMatchObject({ code: 0, stderr: 'http2 true\n' })
  })

  test('goes by gRPC where the REST interface takes connections and never answers', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume())
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    try {
      const { port } = silent.address() as AddressInfo
      const env = { HOOP_APIURL: `http://127.0.0.1:${port}`, HOOP_GRPCURL: site.grpc, HOOP_TOKEN: site.token }
      const done = await runProgram(site.place, ['exec', 'bash', '-i', 'echo out'], {
        ...env,
        ...report(site.place),
      })
      expect(done).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'http2 true\n' })
    } finally {
      silent.close()
    }
  })
})

const ways = { frames: () => `http://${site.address}`, gRPC: () => CLOSED } as const

describe.each(Object.keys(ways) as (keyof typeof ways)[])('exec with our own gateway, by %s', (way) => {
  const env = (more: Record<string, string> = {}) => ({
    HOOP_APIURL: ways[way](),
    HOOP_GRPCURL: site.grpc,
    HOOP_TOKEN: site.token,
    ...more,
  })
  const exec = (...args: string[]) => runProgram(site.place, ['exec', ...args], env())
  const started = (...args: string[]) => own(new Program(site.place, ['exec', ...args], env()))
  const newest = async (query = '') => {
    const { body } = await site.rest.send('GET', `/api/sessions?limit=1${query}`)
    return (JSON.parse(body) as { data: Record<string, unknown>[] }).data[0] ?? {}
  }

  test('keeps the bytes of both streams, and passes variables, arguments and the exit code', async () => {
    const script = 'printf "$A:$1:\\377\\0" ; printf err >&2; exit 7'
    const program = started('bash', '-e', 'A=b', '-i', script, '--', '-s', '--', 'word')
    expect((await program.ended()).code).toBe(7)
    expect(program.stdoutBytes).toEqual(Buffer.from('b:word:\xff\0', 'latin1'))
    expect(program.stderr).toBe('err')
    expect(await newest()).toMatchObject({ verb: 'exec', origin: 'client', exit_code: 7 })
  })

  test('brings more output than anybody holds, whole', async () => {
    const program = started('bash', '-i', 'head -c 40000000 /dev/zero | tr "\\0" x; echo end')
    expect((await program.ended()).code).toBe(0)
    expect(program.stdoutBytes.length).toBe(40_000_004)
    expect(program.stdout.slice(-5)).toBe('xend\n')
  })

  test('ends the command when it is left', async () => {
    const program = started('bash', '-i', 'echo $$; exec sleep 1000')
    const [pid = ''] = await program.says('stdout', /^\d+/)
    program.signal('SIGINT')
    expect((await program.ended()).code).toBe(130)
    await waitFor(() => !isAlive(Number(pid)))
    await waitFor(async () => (await newest())['status'] === 'done')
    expect(await newest()).toMatchObject({ state: { name: 'closed' } })
  })

  test('says that the session was killed', async () => {
    const program = started('bash', '-i', 'echo begun; exec sleep 1000')
    await program.says('stdout', /begun/)
    const { id } = await newest()
    await site.rest.send('POST', `/api/sessions/${String(id)}/kill`)
    expect((await program.ended()).code).toBe(254)
    expect(program.stderr).toMatch(/^runbook-agent: the session was ended at the gateway: .+\n$/)
  })

  const refusals: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    [
      'a connection that there is not',
      ['bsh', '-i', 'x'],
      64,
      /has no connection bsh, or .*(\nDid you mean bash\?\n)?/,
    ],
    [
      'a script that breaks a rule',
      ['guarded', '-i', 'echo DROP'],
      254,
      /a guardrail rule of \S+ stopped the session/,
    ],
  ]
  test.each(refusals)('is refused for %s', async (_, args, code, text) => {
    const ended: Ending & { stderr: string } = await exec(...args)
    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(text)
  })

  test('is refused for a token that is none', async () => {
    const { code, stderr } = await runProgram(
      site.place,
      ['exec', 'bash', '-i', 'x'],
      env({ HOOP_TOKEN: 'no' }),
    )
    expect(code).toBe(77)
    expect(stderr).toMatch(
      /^runbook-agent: the gateway 127\.0\.0\.1:\d+ does not accept the token: .+\n.*HOOP_TOKEN to a new token\n$/,
    )
  })

  test('waits for an approval, and runs then', async () => {
    const program = started('reviewed', '-i', 'echo ran')
    const [, id = ''] = await program.says(
      'stderr',
      /waiting for approval(?: by admin)?: \S+\/sessions\/(\S+)/,
    )
    await runProgram(site.place, ['reviews', 'approve', id], env({ HOOP_APIURL: ways.frames() }))
    expect((await program.ended()).code).toBe(0)
    expect(program.stdout).toBe('ran\n')
    expect(program.stderr).toMatch(/\nrunbook-agent: approved\n$/)
  })
})

test('a gateway that is killed in the middle has lost the connection, by either way', async () => {
  const lost = await Site.start()
  try {
    const programs = [`http://${lost.address}`, CLOSED].map((rest) =>
      own(
        new Program(lost.place, ['exec', 'bash', '-i', 'echo begun; exec sleep 1000'], {
          HOOP_APIURL: rest,
          HOOP_GRPCURL: lost.grpc,
          HOOP_TOKEN: lost.token,
        }),
      ),
    )
    for (const program of programs) await program.says('stdout', /begun/)
    await lost.killGateway()
    for (const program of programs) {
      expect((await program.ended()).code).toBe(254)
      expect(program.stderr).toMatch(/^runbook-agent: the connection to the gateway \S+ was lost: /)
    }
  } finally {
    await lost[Symbol.asyncDispose]()
  }
})
