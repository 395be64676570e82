import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resetConnection } from '../../../src/basics/net/reset.ts'
import { Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

let site: Site
let server: Server

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end('bye'))
    socket.on('data', (bytes) => {
      socket.write(`echo ${String(bytes)}`)
      if (String(bytes) === 'break') resetConnection(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const values = { HOST: '127.0.0.1', PORT: String(port) }
  site = await Site.start({
    connections: [
      { name: 'echo', type: 'application', subtype: 'tcp', env: values },
      {
        name: 'closed',
        type: 'application',
        subtype: 'tcp',
        env: values,
        access: { connect: false },
      },
    ],
  })
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await new Promise((resolve) => server.close(resolve))
})

const connect = (...args: string[]): [typeof site.place, string[], Record<string, string>] => [
  site.place,
  ['connect', ...args],
  { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token },
]
/** A client as a script of bash alone. */
const say = (word: string) =>
  `exec bash -c 'exec 3<>/dev/tcp/$RUNBOOK_AGENT_HOST/$RUNBOOK_AGENT_PORT; echo ${word} >&3; head -1 <&3; exit 7'`

/**
 * A client that ends its direction after the word, prints the answer, and exits with 1 if it is reset. It rests after
 * each read: otherwise libuv reports a reset that has arrived with the last bytes as an end.
 */
const ask = (word: string) =>
  `exec node -e 'const s = require("net").connect({ port: process.env.RUNBOOK_AGENT_PORT, host: "127.0.0.1", allowHalfOpen: true, onread: { buffer: Buffer.alloc(1024), callback: (n, b) => { process.stdout.write(b.subarray(0, n)); s.pause(); setImmediate(() => s.resume()) } } }).on("error", ({ code }) => { console.log(code); process.exit(1) }); s.end("${word}")'`

describe('connect to a port of a tcp connection, through gateway and agent', () => {
  it('runs a client with the port in its environment, ends with it, and exits with its code', async () => {
    const ran = await runProgram(...connect('echo', '--run', say('hello')))
    expect([ran.code, ran.stdout]).toEqual([7, 'echo hello\n'])
    const { data } = JSON.parse((await site.rest.send('GET', '/api/sessions?limit=1')).body) as {
      data: readonly { id: string; status: string; verb: string; exit_code: number }[]
    }
    expect(data[0]).toMatchObject({ status: 'done', verb: 'connect', exit_code: 0 })
  })

  it('says on stderr where it listens, and nothing with --quiet', async () => {
    const [told, quiet] = await Promise.all([
      runProgram(...connect('echo', '--run', say('hello'))),
      runProgram(...connect('echo', '--quiet', '--run', say('hello'))),
    ])
    expect(told.stderr).toMatch(/^runbook-agent: echo listens on 127\.0\.0\.1:\d+.*\nsession .* ends it\n$/)
    expect([quiet.code, quiet.stdout, quiet.stderr]).toEqual([7, 'echo hello\n', ''])
  })

  it('gives the answer to a client that has ended its direction', async () => {
    const ran = await runProgram(...connect('echo', '--run', ask('hello')))
    expect([ran.code, ran.stdout]).toEqual([0, 'echo hellobye'])
  })

  it('resets the client where the server resets its connection', async () => {
    const ran = await runProgram(...connect('echo', '--run', ask('break')))
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringMatching(/ECONNRESET\n$/)])
  })

  it('listens until it is told to stop, and says where', async () => {
    await using port = new Program(...connect('echo', '--port', '0', '--json'))
    const [line] = await port.says('stderr', /^\{.*listening.*\}$/m)
    expect(JSON.parse(line)).toMatchObject({ event: 'listening', protocol: 'tcp', host: '127.0.0.1' })
    port.signal('SIGINT')
    expect(await port.ended()).toMatchObject({ code: 130 })
  })

  it('is ended by sessions kill, and says so', async () => {
    await using port = new Program(...connect('echo', '--port', '0', '--json'))
    const [line] = await port.says('stderr', /^\{.*listening.*\}$/m)
    const { session_id: sid } = JSON.parse(line) as { session_id: string }
    const account = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
    expect((await runProgram(site.place, ['sessions', 'kill', sid], account)).code).toBe(0)
    expect((await port.ended()).code).toBe(254)
    expect(port.stderr).toContain('killed')
  })

  it('is refused where the connection has no terminals', async () => {
    const ran = await runProgram(...connect('closed', '--port', '0'))
    expect(ran.code).toBe(77)
  })
})
