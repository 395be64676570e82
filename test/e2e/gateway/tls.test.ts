import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { beforeEach, expect, it } from 'vitest'
import { Authority, type Issued } from '../../support/network/certificates.ts'
import { own } from '../../support/owned.ts'
import { Program, runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const TOKEN = 'a-token-for-tests-0123456789'
const KEY = 'xagt-a-key-for-tests-0123456789'

/** Gateway, agent and command line as programs, with certificates of two authorities that nobody knows. */
let place: Workplace
let http: string
let grpc: string

const servers = new Authority('servers')
const agents = new Authority('agents')

beforeEach(async () => {
  place = own(new Workplace())
  const git = ['-C', place.at('rb'), '-c', 'user.name=t', '-c', 'user.email=t@example.test']
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', place.at('rb')])
  place.write('rb/hello.runbook.sh', 'echo hello {{ .who }}')
  execFileSync('git', [...git, 'add', '--all'])
  execFileSync('git', [...git, 'commit', '--quiet', '--message=first'])
  for (const [name, authority, subject] of [
    ['server', servers, '127.0.0.1'],
    ['agent', agents, 'local'],
  ] as const) {
    const issued = authority.issue({ names: [subject] })
    place.write(`${name}-ca.pem`, authority.certificate)
    place.write(`${name}.crt`, issued.certificate)
    place.write(`${name}.key`, issued.key)
  }
  place.write('token', TOKEN)
  place.write(
    'gateway.yaml',
    `listen:
  http: 127.0.0.1:0
  grpc: 127.0.0.1:0
  tls: { certificate: server.crt, key: server.key, agent-ca: agent-ca.pem }
users: [{ name: ada, token: ${TOKEN}, groups: [admin] }]
agents: [{ name: local, key: ${KEY} }]
repositories: [{ name: rb, url: ./rb }]
connections: [{ name: bash, agent: local, command: [bash], runbooks: { repository: rb } }]
`,
  )
  const gateway = own(new Program(place, ['gateway', '--json', '--config', 'gateway.yaml']))
  const [line] = await gateway.says('stdout', /^\{.*\}$/m)
  const ready = JSON.parse(line) as { http: string; grpc: string }
  http = ready.http
  grpc = ready.grpc
  place.write('agent.credential', ready.grpc.replace('://', `://local:${KEY}@`) + '?mode=standard')
})

const agentOf = (certificate: Record<string, string>) =>
  own(
    new Program(place, ['start'], {
      RUNBOOK_AGENT_KEY_FILE: 'agent.credential',
      RUNBOOK_AGENT_RUNTIME_DIR: place.at('runtime'),
      RUNBOOK_AGENT_TLS_CA: 'file://server-ca.pem',
      ...certificate,
    }),
  )

const OWN = { RUNBOOK_AGENT_TLS_CERT: 'file://agent.crt', RUNBOOK_AGENT_TLS_KEY: 'file://agent.key' }

it('login keeps a private authority, and run and exec go by it without being told', async () => {
  const agent = agentOf(OWN)
  await agent.says('stderr', /agent serving/)
  const login = ['login', '--api-url', http, '--token-file', 'token']
  const unknown = await runProgram(place, login)
  expect(unknown.code).toBe(69)
  expect(unknown.stderr).toMatch(/HOOP_TLSCA/)
  const ended = await runProgram(place, login, { HOOP_TLSCA: 'file://server-ca.pem' })
  expect([ended.code, ended.stderr]).toEqual([0, expect.stringMatching(/^signed in to https:.* as ada/)])
  const file = place.at('home', '.config', 'runbook-agent', 'account.json')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    tls_ca: `file://${place.at('server-ca.pem')}`,
  })
  const run = await runProgram(place, ['run', 'bash', 'hello.runbook.sh', '-p', 'who=you'])
  expect([run.code, run.stdout]).toEqual([0, 'hello you\n'])
  const exec = await runProgram(place, ['exec', 'bash', '-i', 'echo by a stream; exit 3'])
  expect([exec.code, exec.stdout]).toEqual([3, 'by a stream\n'])
  const sessions = await runProgram(place, ['sessions', '--json'])
  expect(sessions).toMatchObject({ code: 0, stdout: expect.stringContaining('hello.runbook.sh') as string })
})

it('exec and run say what is wrong with a gateway whose authority is not known, before any token goes there', async () => {
  for (const words of [
    ['exec', 'bash', '-i', 'true'],
    ['run', 'bash', 'hello.runbook.sh', '-p', 'who=you'],
  ]) {
    const env = { HOOP_APIURL: http, HOOP_TOKEN: TOKEN }
    const { code, stderr } = await runProgram(place, words, env)
    expect([code, stderr]).toEqual([69, expect.stringContaining('HOOP_TLSCA')])
    expect(stderr).not.toContain(TOKEN)
  }
})

it('an agent without a certificate is refused in a line that says what to do', async () => {
  const agent = agentOf({})
  await agent.says(
    'stderr',
    /the gateway refuses this agent: this gateway requires a certificate from its agents/,
  )
})

/** @returns the port, until the end of the test */
async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const open = new Set<Socket>()
  server.on('connection', (socket) => open.add(socket))
  own({
    [Symbol.dispose]: () => {
      server.close()
      for (const socket of open) socket.destroy()
    },
  })
  return (server.address() as AddressInfo).port
}

it('exec sends its packets inside TLS, without gRPC', async () => {
  const agent = agentOf(OWN)
  await agent.says('stderr', /agent serving/)
  const connections: Buffer[][] = []
  const port = await listening(
    createServer((client) => {
      const seen: Buffer[] = []
      connections.push(seen)
      const gateway = connect(Number(new URL(http).port), '127.0.0.1')
      client.on('data', (piece: Buffer) => seen.push(piece)).pipe(gateway)
      gateway.pipe(client)
      for (const one of [client, gateway])
        one.on('error', () => [client, gateway].map((end) => end.destroy()))
    }),
  )
  const report = `process.on('exit', () => process._rawDebug('http2 ' + process.moduleLoadList.includes('NativeModule http2')))`
  const exec = await runProgram(place, ['exec', 'bash', '-i', 'cat; echo a-word >&2; exit 3'], {
    HOOP_APIURL: `https://127.0.0.1:${port}`,
    HOOP_TOKEN: TOKEN,
    HOOP_TLSCA: 'file://server-ca.pem',
    NODE_OPTIONS: `--require=${place.write('report.cjs', report, 0o644)}`,
  })
  expect(exec).toMatchObject({ code: 3, stderr: 'a-word\nhttp2 false\n' })
  expect(connections).toHaveLength(1)
  const bytes = Buffer.concat(connections[0] ?? [])
  // A record of a handshake.
  expect(bytes[0]).toBe(22)
  for (const secret of [TOKEN, 'a-word', '/api/streams']) expect(bytes.includes(secret)).toBe(false)
})

const strangers = new Authority('strangers')

it.each<[string, () => Issued, Record<string, string>, RegExp]>([
  [
    'another authority',
    () => strangers.issue({ names: ['127.0.0.1'] }),
    {},
    /signed by an authority that this program does not know/,
  ],
  [
    'another name',
    () => servers.issue({ names: ['other.test'] }),
    {},
    /is for other names \(DNS:other\.test\): use one of these names/,
  ],
  [
    'another name than the one that is asked for',
    () => servers.issue({ names: ['127.0.0.1'] }),
    { HOOP_TLSSERVERNAME: 'gateway.test' },
    /is for other names \(IP Address:127\.0\.0\.1\)/,
  ],
])('exec sends nothing to a gateway whose certificate has %s, on any way', async (_, issue, env, text) => {
  const { certificate: cert, key } = issue()
  const sent: Buffer[] = []
  const port = await listening(
    createTlsServer({ cert, key, ALPNProtocols: ['http/1.1', 'h2'] }, (socket) => {
      socket.on('error', () => undefined).on('data', (piece: Buffer) => sent.push(piece))
    }).on('tlsClientError', () => undefined),
  )
  for (const streams of [{}, { HOOP_GRPCURL: `grpcs://127.0.0.1:${port}` }]) {
    const exec = await runProgram(place, ['exec', 'bash', '-i', 'echo a-word'], {
      HOOP_APIURL: `https://127.0.0.1:${port}`,
      HOOP_TOKEN: TOKEN,
      HOOP_TLSCA: 'file://server-ca.pem',
      ...env,
      ...streams,
    })
    expect([exec.code, exec.stderr]).toEqual([69, expect.stringMatching(text) as string])
    expect(exec.stderr).not.toContain(TOKEN)
  }
  expect(sent).toEqual([])
})

it('exec sends nothing in plaintext where TLS fails, also when the streams have an address', async () => {
  const plain: Buffer[] = []
  const port = await listening(
    createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (piece: Buffer) => {
          plain.push(piece)
          socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
        })
    }),
  )
  for (const streams of [{}, { HOOP_GRPCURL: grpc }]) {
    const exec = await runProgram(place, ['exec', 'bash', '-i', 'true'], {
      HOOP_APIURL: `https://127.0.0.1:${port}`,
      HOOP_TOKEN: TOKEN,
      ...streams,
    })
    expect(exec.code).toBe(69)
    expect(exec.stderr).not.toContain(TOKEN)
  }
  expect(Buffer.concat(plain).includes(TOKEN)).toBe(false)
})
