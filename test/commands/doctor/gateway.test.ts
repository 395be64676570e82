import { createServer as createHttp2Server, type OutgoingHttpHeaders } from 'node:http2'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Examination, type Line } from '../../../src/commands/examination.ts'
import { CHECKS, examine } from '../../../src/commands/doctor/doctor.ts'
import { Authority, years, type Request } from '../../support/network/certificates.ts'
import { ConnectProxy } from '../../support/network/connect-proxy.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { serverCredentials } from '../../support/network/tls.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const SECRET = 'xagt-hush-0123456789'
const DAYS = 1 / 365
const WAY = ['settings', 'key', 'name resolution', 'tcp', 'proxy', 'tls', 'http/2', 'health check', 'clock']

describe('the way to the gateway', () => {
  it('is in order, step by step, and no stream is opened on it', async () => {
    await using gateway = await ScriptedGateway.start()
    const { level, found } = await examined(keyFor(gateway.port))
    expect(level).toEqual({
      settings: 'ok',
      key: 'ok',
      'name resolution': 'ok',
      tcp: 'ok',
      proxy: 'ok',
      tls: 'ok',
      'http/2': 'ok',
      'health check': 'ok',
      clock: 'ok',
    })
    expect(found['key']).toContain(`key of "tester" (standard) to 127.0.0.1:${gateway.port}, without TLS`)
    expect(found['health check']).toMatch(/^answered in [\d.]+ ms/)
    expect([gateway.metadata, gateway.preConnects, gateway.received]).toEqual([[], [], []])
    expect(gateway.healthChecks).toBeGreaterThan(0)
  })

  it('ends at a port on which nobody listens, and what comes behind it is skipped', async () => {
    const { level, found, advice } = await examined(keyFor(await freePort()))
    expect(level).toMatchObject({ 'name resolution': 'ok', tcp: 'broken' })
    expect(found['tcp']).toMatch(/ECONNREFUSED/)
    expect(advice['tcp']).toMatch(/^Nothing listens on this port/)
    for (const name of ['proxy', 'tls', 'http/2', 'health check', 'clock'])
      expect([level[name], found[name]]).toEqual(['skipped', 'skipped until this check passes: tcp'])
  })

  it('ends at a name that is not known', async () => {
    const { level, found } = await examined(`grpcs://tester:${SECRET}@gateway.invalid:8443`)
    expect(level).toMatchObject({ 'name resolution': 'broken', tcp: 'skipped', tls: 'skipped' })
    expect(found['name resolution']).toMatch(
      /^gateway\.invalid cannot be looked up \((ENOTFOUND|EAI_AGAIN)\)$/,
    )
    expect(found['clock']).toBe('skipped until this check passes: name resolution')
  })

  it('ends at a server that takes connections and says nothing, with TLS and without', async () => {
    await using server = await listening(createServer(() => undefined))
    const [plain, secure] = await Promise.all([
      examined(keyFor(server.port)),
      examined(keyFor(server.port, 'grpcs')),
    ])
    expect(plain.level).toMatchObject({ tcp: 'ok', 'http/2': 'broken', 'health check': 'skipped' })
    expect(plain.found['http/2']).toMatch(/does not answer within 5 s$/)
    expect(secure.level).toMatchObject({ tcp: 'ok', tls: 'broken', 'http/2': 'skipped' })
    expect(secure.found['tls']).toMatch(/does not answer in the TLS handshake within 5 s$/)
  })

  it('tries every address that a name has, and goes on with the one that answers', async () => {
    await using gateway = await ScriptedGateway.start()
    const { level, found, advice } = await examined(keyFor(gateway.port).replace('127.0.0.1', 'localhost'))
    expect(level).toMatchObject({ 'name resolution': 'ok', 'http/2': 'ok', 'health check': 'ok' })
    // Where localhost is ::1 as well nobody listens on that one.
    const hasBoth = found['name resolution']?.includes('::1') === true
    expect([level['tcp'], advice['tcp'] !== undefined]).toEqual([hasBoth ? 'warning' : 'ok', hasBoth])
  })

  it('does not take a web server for a gateway', async () => {
    await using old = await listening(createHttpServer((_, response) => response.end('hello')))
    const http1 = await examined(keyFor(old.port))
    expect(http1.level).toMatchObject({ tcp: 'ok', 'http/2': 'broken', 'health check': 'skipped' })
    expect(http1.advice['http/2']).toMatch(/the gateway's gRPC port\./)
    await using modern = await answering(404, { 'content-type': 'text/html' })
    const http2 = await examined(keyFor(modern.port))
    expect(http2.level).toMatchObject({ 'http/2': 'broken', 'health check': 'skipped' })
    expect(http2.found['http/2']).toMatch(
      /answers HTTP 404 with content type text\/html: this server is not a gRPC server$/,
    )
  })

  it('says so when the health check stays without an answer', async () => {
    await using gateway = await ScriptedGateway.start()
    // The one of the step before, which only looks at the headers, gets one.
    let checks = 0
    gateway.onHealthCheck = (done) => ((checks += 1) === 1 ? done(null, { status: 'OK' }) : undefined)
    const { level, found } = await examined(keyFor(gateway.port))
    expect(level).toMatchObject({ 'http/2': 'ok', 'health check': 'broken' })
    expect(found['health check']).toBe('no answer within 4 s (connected)')
  })
})

describe("the gateway's certificate", () => {
  const authority = new Authority('An authority of the tests')

  /** A gateway with a certificate like this, and what is found out about it. */
  async function shown(request: Request, env: NodeJS.ProcessEnv = {}, ca = authority.certificate) {
    const credentials = serverCredentials(authority.issue(request))
    await using gateway = await ScriptedGateway.start({ credentials })
    return await examined(keyFor(gateway.port, 'grpcs'), { HOOP_TLSCA: ca, ...env })
  }

  it('is told: protocol, names, days, and against what it was checked', async () => {
    const { level, found } = await shown({ names: ['127.0.0.1'], validTo: years(100.5 * DAYS) })
    expect(level).toMatchObject({ tls: 'ok', 'http/2': 'ok', 'health check': 'ok' })
    expect(found['tls']).toBe(
      'TLSv1.3, 127.0.0.1, by An authority of the tests, 100 days left, checked against tls.ca',
    )
  })

  it('is a warning when it ends within 14 days, and the way is tried to its end', async () => {
    const { level, found } = await shown({ names: ['127.0.0.1'], validTo: years(13.5 * DAYS) })
    expect(level).toMatchObject({ tls: 'warning', 'health check': 'ok' })
    expect(found['tls']).toContain('13 days left')
  })

  it('is refused when it has ended, has not begun, is for another name, or from somebody unknown', async () => {
    const names = ['127.0.0.1']
    const ended = await shown({ names, validFrom: years(-2), validTo: years(-3.5 * DAYS) })
    expect([ended.level['tls'], ended.advice['tls']]).toEqual([
      'broken',
      expect.stringMatching(/has expired/),
    ])
    expect(ended.found['tls']).toContain('expired 4 days ago')
    const early = await shown({ names, validFrom: years(1) })
    expect([early.level['tls'], early.advice['tls']]).toEqual([
      'broken',
      expect.stringMatching(/not valid yet/),
    ])
    const foreign = await shown({ names: ['other.example'] })
    expect(foreign.level).toMatchObject({ tls: 'broken', 'http/2': 'skipped' })
    expect(foreign.advice['tls']).toMatch(/is for other names \(DNS:other\.example\): .*set tls\.server-name/)
    const unknown = await shown({ names }, {}, new Authority('Another one').certificate)
    expect(unknown.level['tls']).toBe('broken')
    expect(unknown.advice['tls']).toMatch(/authority that this program does not know/)
  })

  it('gets all that is wrong with it said at once', async () => {
    const request = { names: ['other.example'], validFrom: years(-2), validTo: years(-1) }
    const { advice } = await shown(request)
    expect(advice['tls']?.split('\n')).toEqual([
      expect.stringMatching(/has expired/),
      expect.stringMatching(/is for other names/),
    ])
  })

  it('is checked against the name of tls.server-name', async () => {
    const { level, found } = await shown(
      { names: ['gateway.example'] },
      { HOOP_TLSSERVERNAME: 'gateway.example' },
    )
    expect(level).toMatchObject({ tls: 'ok', 'health check': 'ok' })
    expect(found['tls']).toContain('and the name gateway.example (tls.server-name)')
  })

  it('is a warning with tls.skip-verify, which says what it hides', async () => {
    const { level, advice } = await shown({ names: ['other.example'] }, { HOOP_TLS_SKIP_VERIFY: 'true' })
    expect(level).toMatchObject({ settings: 'warning', tls: 'warning', 'health check': 'ok' })
    expect(advice['tls']).toMatch(/hides these faults:\n[^\n]*is for other names[^\n]*$/)
    const needless = await shown({ names: ['127.0.0.1'] }, { HOOP_TLS_SKIP_VERIFY: 'true' })
    expect(needless.advice['tls']).toBe('Remove tls.skip-verify: the certificate is in order')
  })

  it('is not reached when the gateway demands one of ours', async () => {
    const credentials = serverCredentials(authority.issue({ names: ['127.0.0.1'] }), authority.certificate)
    await using gateway = await ScriptedGateway.start({ credentials })
    const { level, advice } = await examined(keyFor(gateway.port, 'grpcs'), {
      HOOP_TLSCA: authority.certificate,
    })
    expect(level).toMatchObject({ tls: 'ok', 'http/2': 'broken' })
    expect(advice['http/2']).toMatch(/demands a client certificate: set tls\.cert and tls\.key/)
    const own = authority.issue({ names: ['agent'] })
    const shownOurs = await examined(keyFor(gateway.port, 'grpcs'), {
      HOOP_TLSCA: authority.certificate,
      RUNBOOK_AGENT_TLS_CERT: own.certificate,
      RUNBOOK_AGENT_TLS_KEY: own.key,
    })
    expect(shownOurs.level).toMatchObject({ tls: 'ok', 'http/2': 'ok', 'health check': 'ok' })
  })

  it('is missing where the gateway speaks none, and in the way where the key has none', async () => {
    await using plain = await ScriptedGateway.start()
    const noTls = await examined(keyFor(plain.port, 'grpcs'))
    expect([noTls.level['tls'], noTls.advice['tls']]).toEqual([
      'broken',
      expect.stringMatching(/does not speak TLS: .*grpc:\/\//),
    ])
    const credentials = serverCredentials(authority.issue({ names: ['127.0.0.1'] }))
    await using secure = await ScriptedGateway.start({ credentials })
    const noPlain = await examined(keyFor(secure.port))
    expect([noPlain.level['http/2'], noPlain.advice['http/2']]).toEqual([
      'broken',
      expect.stringMatching(/the key begins with grpcs:\/\/$/),
    ])
  })
})

describe('a proxy', () => {
  const authority = new Authority('An authority of the tests')
  const names = ['gateway.example']
  const key = `grpcs://tester:${SECRET}@gateway.example:8443`

  it('carries every step when HTTPS_PROXY names it, and looks up the gateway itself', async () => {
    await using gateway = await ScriptedGateway.start({
      credentials: serverCredentials(authority.issue({ names })),
    })
    await using proxy = await ConnectProxy.start(gateway.port)
    const { level, found, all } = await examined(key, {
      HOOP_TLSCA: authority.certificate,
      HTTPS_PROXY: `http://user:proxy-hush@${proxy.address}`,
    })
    expect(level).toMatchObject({
      'name resolution': 'ok',
      tcp: 'ok',
      proxy: 'ok',
      tls: 'ok',
      'health check': 'ok',
    })
    expect(found['proxy']).toBe(`${proxy.address} opens connections to gateway.example:8443`)
    expect(new Set(proxy.targets)).toEqual(new Set(['gateway.example:8443']))
    expect(all).not.toContain('proxy-hush')
  })

  it('that refuses, or does not answer, is said to', async () => {
    await using proxy = await ConnectProxy.start(1)
    const env = { HTTPS_PROXY: `http://${proxy.address}` }
    proxy.refusal = '407 Proxy Authentication Required'
    const refused = await examined(key, env)
    expect(refused.level).toMatchObject({ tcp: 'ok', proxy: 'broken', tls: 'skipped' })
    expect(refused.found['proxy']).toMatch(/answered 407 .*: set a user and a password/)
    proxy.refusal = 'silence'
    const silent = await examined(key, env)
    expect(silent.found['proxy']).toBe(`${proxy.address} gave no answer within 5 s`)
  })

  it('is left out for the loopback, for NO_PROXY, and without TLS', async () => {
    const HTTPS_PROXY = 'http://proxy.example:3128'
    await using gateway = await ScriptedGateway.start()
    const plain = await examined(keyFor(gateway.port), { HTTPS_PROXY })
    expect([plain.level['health check'], plain.found['proxy']]).toEqual([
      'ok',
      'the proxy of HTTPS_PROXY is not used without TLS',
    ])
    const local = await examined(keyFor(gateway.port, 'grpcs'), { HTTPS_PROXY })
    expect(local.found['proxy']).toMatch(/is not used for this gateway/)
  })
})

describe("the gateway's clock", () => {
  const grpc = { 'content-type': 'application/grpc', 'grpc-status': 0 }

  it.each([
    [3600, 'warning', /^(3599|3600|3601) s behind the gateway's clock$/],
    [-3600, 'warning', /^(3599|3600|3601) s ahead of the gateway's clock$/],
    [20, 'ok', /s difference from the gateway's clock$/],
  ] as const)('%i s ahead of ours is %s', async (seconds, level, text) => {
    await using server = await answering(200, {
      ...grpc,
      date: new Date(Date.now() + seconds * 1000).toUTCString(),
    })
    const result = await examined(keyFor(server.port))
    expect([result.level['clock'], result.found['clock']]).toEqual([level, expect.stringMatching(text)])
  })

  it('is not known without a date header', async () => {
    await using server = await answering(200, grpc, false)
    const { level, found } = await examined(keyFor(server.port))
    expect([level['clock'], found['clock']]).toEqual(['skipped', expect.stringContaining('date header')])
  })
})

function keyFor(port: number, scheme = 'grpc'): string {
  return `${scheme}://tester:${SECRET}@127.0.0.1:${port}?mode=standard`
}

interface Examined {
  readonly level: Readonly<Record<string, string>>
  readonly found: Readonly<Record<string, string>>
  readonly advice: Readonly<Record<string, string | undefined>>
  /** Everything that was said. */
  readonly all: string
}

/** The checks of the settings, the key and the gateway, in this process. No text holds the secret. */
async function examined(key: string, env: NodeJS.ProcessEnv = {}): Promise<Examined> {
  using place = new Workplace()
  const RUNBOOK_AGENT_CONFIG = place.write('agent.yaml', '')
  const lines: Line[] = []
  const examination = new Examination((line) => lines.push(line))
  const source = { flags: {}, env: { RUNBOOK_AGENT_CONFIG, HOOP_KEY: key, ...env }, stderrIsTty: false }
  const trial = { ask: () => Promise.reject(new Error('runs no command')) }
  const checks = CHECKS.filter(({ name }) => WAY.includes(name))
  await examine(checks, { source, trial }, examination)
  const all = JSON.stringify(lines)
  expect(all).not.toContain(SECRET)
  const by = <T>(field: (line: Line) => T) =>
    Object.fromEntries(lines.map((line) => [line.name, field(line)]))
  return {
    level: by(({ level }) => level),
    found: by(({ found }) => found),
    advice: by(({ advice }) => advice),
    all,
  }
}

interface Listening extends AsyncDisposable {
  readonly port: number
}

async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** HTTP/2 that answers everything with these headers. */
async function answering(status: number, headers: OutgoingHttpHeaders, sendDate = true): Promise<Listening> {
  const server = createHttp2Server((_, response) => {
    response.sendDate = sendDate
    response.writeHead(status, headers)
    response.end()
  })
  return listening(server)
}

async function freePort(): Promise<number> {
  const server = await listening(createServer())
  await server[Symbol.asyncDispose]()
  return server.port
}
