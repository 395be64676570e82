import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

let site: Site
let server: Server

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined).on('data', (bytes) => socket.write(`echo ${String(bytes)}`))
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

describe('connect to a port of a tcp connection, through gateway and agent', () => {
  it('runs a client with the port in its environment, ends with it, and exits with its code', async () => {
    const ran = await runProgram(...connect('echo', '--run', say('hello')))
    expect([ran.code, ran.stdout]).toEqual([7, 'echo hello\n'])
    const { data } = JSON.parse((await site.rest.send('GET', '/api/sessions?limit=1')).body) as {
      data: readonly { id: string; status: string; verb: string; exit_code: number }[]
    }
    expect(data[0]).toMatchObject({ status: 'done', verb: 'connect', exit_code: 0 })
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
