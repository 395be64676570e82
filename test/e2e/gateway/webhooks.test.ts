import { createServer, type Server } from 'node:https'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { beforeEach, expect, it } from 'vitest'
import { Authority } from '../../support/network/certificates.ts'
import { ConnectProxy } from '../../support/network/connect-proxy.ts'
import { own } from '../../support/owned.ts'
import { main, Program, runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { waitFor } from '../../support/wait.ts'

const TOKEN = 'a-token-for-tests-0123456789'
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const authority = new Authority('receivers')

/** Somebody's endpoint on the internet: TLS by an authority of its own, reached by the proxy alone. */
class Receiver implements AsyncDisposable {
  readonly received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
  status = 204
  readonly #server: Server

  static async start(): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  private constructor() {
    const { certificate: cert, key } = authority.issue({ names: ['hooks.example.test'] })
    this.#server = createServer({ cert, key }, (request, response) => {
      void text(request).then((body) => {
        this.received.push({ headers: request.headers, body })
        response.writeHead(this.status, { connection: 'close' }).end()
      })
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

let place: Workplace
let receiver: Receiver
let proxy: ConnectProxy
let env: Record<string, string>

beforeEach(async () => {
  place = own(new Workplace())
  receiver = own(await Receiver.start())
  proxy = own(await ConnectProxy.start(receiver.port))
})

/** @param ca of the webhook */
async function startGateway(ca: string): Promise<Program> {
  place.write('ca.pem', ca)
  place.write(
    'gateway.yaml',
    `listen: { http: 127.0.0.1:0, grpc: 127.0.0.1:0 }
users: [{ name: ada, token: ${TOKEN}, groups: [admin] }]
agents: [{ name: away, key: xagt-a-key-for-tests-0123456789 }]
connections: [{ name: bash, agent: away, command: [bash] }]
limits: { agent-wait: 0s }
webhooks:
  - name: hook
    url: https://hooks.example.test/path?key=a-secret-of-the-address
    secret: ${SECRET}
    events: [session.failed]
    ca: file://ca.pem
`,
  )
  const words = ['gateway', '--json', '--config', 'gateway.yaml']
  const gateway = own(new Program(place, words, { HTTPS_PROXY: `http://who:why@${proxy.address}` }))
  const [line] = await gateway.says('stdout', /^\{.*\}$/m)
  const { http } = JSON.parse(line) as { http: string }
  env = { HOOP_APIURL: http, HOOP_TOKEN: TOKEN }
  return gateway
}

/** What lists and messages say of the one webhook. */
async function listed(): Promise<Record<string, unknown>> {
  const { code, stdout } = await runProgram(place, ['webhooks', '--json'], env)
  expect(code).toBe(0)
  const found = JSON.parse(stdout) as Record<string, unknown>[] | { data: Record<string, unknown>[] }
  return (Array.isArray(found) ? found : found.data)[0] ?? {}
}

it('a message goes over TLS through the proxy, signed; the command webhooks lists and tests receivers', async () => {
  await startGateway(authority.certificate)
  const tested = await runProgram(place, ['webhooks', 'test', 'hook'], env)
  expect([tested.code, tested.stderr]).toEqual([0, ''])
  expect(JSON.parse(tested.stdout)).toEqual({ delivered: true, error: null, status: 204 })
  expect(proxy.targets).toEqual(['hooks.example.test:443'])
  expect(proxy.credentials).toEqual([`Basic ${Buffer.from('who:why').toString('base64')}`])
  const run = await runProgram(place, ['exec', 'bash', '-i', 'true'], env)
  expect(run.code).not.toBe(0)
  await waitFor(() => receiver.received.length === 2)
  for (const { headers, body } of receiver.received)
    new Webhook(SECRET).verify(body, headers as Record<string, string>)
  expect(receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
    'webhook.test',
    'session.failed',
  ])
  await waitFor(async () => (await listed())['delivered'] === 1)
  expect(await listed()).toMatchObject({ name: 'hook', status: 'active', waiting: 0, dropped: 0 })
  expect(JSON.stringify(await listed())).not.toContain('a-secret-of-the-address')
})

it('a receiver whose authority is not the named one gets nothing, and the test says why', async () => {
  await startGateway(new Authority('others').certificate)
  const { code, stdout, stderr } = await runProgram(place, ['webhooks', 'test', 'hook'], env)
  expect([code, stdout]).toEqual([69, ''])
  expect(stderr).toMatch(/^runbook-agent: webhook hook refused the test message: .*unknown authority/i)
  expect(stderr).not.toContain('a-secret-of-the-address')
  expect(receiver.received).toEqual([])
})

it('a receiver that refuses, a proxy that does, and a name that is none are said apart', async () => {
  await startGateway(authority.certificate)
  const test = (name: string) => runProgram(place, ['webhooks', 'test', name], env)
  receiver.status = 500
  expect(await test('hook')).toMatchObject({
    code: 69,
    stderr: expect.stringContaining('the receiver answered 500') as string,
  })
  proxy.refusal = '407 Proxy Authentication Required'
  expect(await test('hook')).toMatchObject({ code: 69, stderr: expect.stringContaining('407') as string })
  const none = await test('none')
  expect([none.code, none.stderr]).toEqual([expect.any(Number), expect.stringMatching(/none/)])
  expect(none.code).not.toBe(0)
})

it.skipIf(!hasTmux)(
  'the list of webhooks is a table on a terminal, without what is secret in an address (tmux)',
  async () => {
    await startGateway(authority.certificate)
    using screen = new Tmux(place, { ...env, TERM: 'xterm-256color', PS1: '$ ' })
    screen.enter(`${process.execPath} ${main} webhooks test hook && ${process.execPath} ${main} webhooks`)
    await screen.shows(/^delivered$[^]*^NAME +STATUS +WAITING[^]*^hook +active +0 /m)
    expect(screen.screen()).not.toContain('a-secret-of-the-address')
  },
)
