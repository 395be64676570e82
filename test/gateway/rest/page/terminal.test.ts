import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { recorded } from '../../../support/sites/client-site.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../../support/scripted/scripted-agent.ts'
import { rawAnswers } from '../../../support/scripted/raw-http.ts'
import { Gate } from '../../../support/gate.ts'
import { Workplace } from '../../../support/sites/workplace.ts'
import { waitFor } from '../../../support/wait.ts'
import { Browsing } from './browsing.ts'
import { TerminalTab } from './terminal-tab.ts'

// Terminals of the page: real sockets, the gateway, and an agent with real commands.

const CONNECTIONS = `
  - { name: asked, agent: local, command: [bash, --norc, --noprofile], review: { groups: [admin] } }
  - { name: closed, agent: local, command: [bash], access: { connect: false } }
  - { name: hidden, agent: local, command: [bash], access: { groups: [nobody] } }
  - { name: away, agent: far, command: [bash] }`

let gateway: RunningGateway
let agent: RunningAgent
let http: string
beforeAll(async () => {
  gateway = await RunningGateway.start(
    {},
    {
      connections: CONNECTIONS,
      limits: '{ agent-wait: 300ms }',
      agents: '{ name: far, key: xagt-another-key-0123456789 }',
      users:
        '\n  - { name: reader, token: token-of-reader-0123456789, groups: [auditor] }\n  - { name: third, token: token-of-third-0123456789 }',
    },
  )
  agent = await RunningAgent.start(gateway.agentUrl, {})
  await agent.serving()
  http = gateway.gateway.http
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

/** What a tab is sent before it says that its screen has taken some of it: 256 KiB, and the frame that goes beyond. */
const MOST_UNTAKEN_BYTES = 512 * 1024

const asAdmin = { authorization: `Bearer ${userToken}` }

async function opened(
  connection = 'bash',
  by: Readonly<Record<string, string>> = asAdmin,
): Promise<TerminalTab> {
  const tab = TerminalTab.of(http, connection, by)
  await tab.hears('opened')
  tab.resize(33, 101)
  return tab
}

describe('a terminal of the page', () => {
  it('has the size of the window, and ends with the exit code of its program', async () => {
    using tab = await opened()
    tab.type('stty size; tty\n')
    await tab.shows('33 101')
    tab.resize(50, 120)
    tab.type('stty size; exit 5\n')
    expect(await tab.hears('ended')).toEqual({ type: 'ended', exit_code: 5, code: null, message: '' })
    expect(tab.shown).toContain('50 120')
    expect(tab.shown).toContain('/dev/pts/')
    await tab.closed()
  })

  it('is signed in by the cookie, and recorded as any terminal: user, verb, output and sizes, no keys', async () => {
    const { cookie = '' } = await Browsing.signedIn(http, otherToken)
    using tab = await opened('bash', { cookie })
    tab.type("stty -echo; echo as''k; read -r x; echo got''it\n")
    await tab.shows('ask')
    tab.type('unseen-password\n')
    await tab.shows('gotit')
    tab.type('exit\n')
    const { session_id: sid = '' } = await tab.hears('opened')
    await tab.hears('ended')
    const record = await recorded(gateway, sid)
    expect(record).toMatchObject({ user_name: 'other', verb: 'connect', origin: 'client', exit_code: 0 })
    const text = record.events.map((event) => event.text).join('')
    expect(text).toContain('gotit')
    expect(text).not.toContain('unseen-password')
    const { body } = await gateway.request('GET', `/api/sessions/${sid}?expand=event_stream,resize`)
    expect(JSON.stringify(body['event_stream'])).toContain('"r"')
  })

  it('brings keys as they are, and those from before the terminal was open', async () => {
    using tab = TerminalTab.of(http, 'bash', asAdmin)
    tab.socket.once('open', () => {
      tab.resize(24, 80)
      tab.type(`printf '<%d>' "'a"\n`)
      tab.type('exit\n')
    })
    await tab.shows('<97>')
    await tab.hears('ended')
  })

  it('ends when somebody kills the session, and says so', async () => {
    using tab = await opened()
    const { session_id: sid = '' } = await tab.hears('opened')
    expect((await gateway.request('POST', `/api/sessions/${sid}/kill`)).status).toBe(204)
    expect(await tab.hears('ended')).toMatchObject({ exit_code: null, code: 'session-killed' })
    await tab.closed()
  })

  it('ends with the sign-in of its browser', async () => {
    const browsing = await Browsing.signedIn(http, otherToken)
    using tab = await opened('bash', { cookie: browsing.cookie ?? '' })
    await browsing.ask('POST', '/api/page/sign-out')
    expect(await tab.hears('ended')).toMatchObject({ code: 'token-ended' })
    await tab.closed()
  })

  it('ends its command when the tab is closed', async () => {
    const tab = await opened()
    tab.type('echo pid:$$:\n')
    await waitFor(() => /pid:\d+:/.test(tab.shown))
    const { session_id: sid = '' } = await tab.hears('opened')
    tab[Symbol.dispose]()
    expect(await recorded(gateway, sid)).toMatchObject({ status: 'done' })
  })

  it('goes on for a tab that is loaded again: with its screen, what came meanwhile, its keys and its exit code', async () => {
    const { cookie = '' } = await Browsing.signedIn(http, otherToken)
    const former = await opened('bash', { cookie })
    const { session_id: sid = '' } = await former.hears('opened')
    former.type('mark=kept; echo be"fore"; read -r go; seq 100000; echo me"anwhile $go"\n')
    await former.shows('before')
    former.vanish()
    using tab = TerminalTab.again(http, ['bash', sid], { cookie })
    expect(await tab.hears('opened')).toMatchObject({ session_id: sid })
    await tab.shows('before')
    tab.type('now\n')
    await tab.shows('meanwhile now')
    expect(tab.shown).toContain('99999\r\n100000')
    tab.type('echo $mark; exit 6\n')
    expect(await tab.hears('ended')).toMatchObject({ exit_code: 6 })
    expect(tab.shown).toContain('kept')
  })

  it('goes on in the tab that asked for it last, and in none of another sign-in, connection or time', async () => {
    const [mine, others] = [
      await Browsing.signedIn(http, otherToken),
      await Browsing.signedIn(http, otherToken),
    ]
    const cookie = mine.cookie ?? ''
    using former = await opened('bash', { cookie })
    const { session_id: sid = '' } = await former.hears('opened')
    const notFound = { code: 'session-not-found', exit_code: null }
    using stranger = TerminalTab.again(http, ['bash', sid], { cookie: others.cookie ?? '' })
    expect(await stranger.hears('ended')).toMatchObject(notFound)
    using elsewhere = TerminalTab.again(http, ['away', sid], { cookie })
    expect(await elsewhere.hears('ended')).toMatchObject(notFound)
    using tab = TerminalTab.again(http, ['bash', sid], { cookie })
    await tab.hears('opened')
    await former.closed()
    expect(former.code).toBe(4000)
    tab.type('exit\n')
    await tab.hears('ended')
    using late = TerminalTab.again(http, ['bash', sid], { cookie })
    expect(await late.hears('ended')).toMatchObject(notFound)
  })

  it('ends with its sign-in also while its tab is away', async () => {
    const browsing = await Browsing.signedIn(http, otherToken)
    const tab = await opened('bash', { cookie: browsing.cookie ?? '' })
    const { session_id: sid = '' } = await tab.hears('opened')
    tab.vanish()
    await browsing.ask('POST', '/api/page/sign-out')
    expect(await recorded(gateway, sid)).toMatchObject({ status: 'done' })
  })

  it('waits for people where they have to approve, keeps what was typed out, and opens then', async () => {
    const { cookie = '' } = await Browsing.signedIn(http, otherToken)
    using tab = TerminalTab.of(http, 'asked', { cookie })
    const { session_id: sid = '' } = await tab.hears('waiting')
    tab.resize(20, 70)
    await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED' })
    await tab.hears('opened')
    tab.type('stty size; exit\n')
    await tab.hears('ended')
    expect(tab.shown).toContain('20 70')
  })

  it('ends with the reason when people refuse', async () => {
    const { cookie = '' } = await Browsing.signedIn(http, 'token-of-third-0123456789')
    using tab = TerminalTab.of(http, 'asked', { cookie })
    const { session_id: sid = '' } = await tab.hears('waiting')
    await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'REJECTED', rejection_reason: 'not today' })
    const { exit_code: code, message } = await tab.hears('ended')
    expect([code, message]).toEqual([254, expect.stringContaining('not today')])
  })

  it.each([
    ['closed', 'not-permitted'],
    ['hidden', 'connection-not-found'],
    ['missing', 'connection-not-found'],
    ['away', 'agent-offline'],
  ])('is not there on connection %s: %s', async (connection, code) => {
    using tab = TerminalTab.of(http, connection, asAdmin)
    expect(await tab.hears('ended')).toMatchObject({ exit_code: null, code })
    await tab.closed()
  })

  it.each([
    ['nobody', {}, 401],
    ['a wrong token', { authorization: 'Bearer wrong' }, 401],
    ['an auditor', { authorization: 'Bearer token-of-reader-0123456789' }, 403],
  ])('does not even open for %s', async (_, headers, status) => {
    using tab = TerminalTab.of(http, 'bash', headers)
    await tab.closed()
    expect(tab.refused).toBe(status)
  })

  it.each([
    ['does not say from which page', {}],
    ['comes from another page', { origin: 'http://evil.example.test' }],
    ['comes from another port', { origin: 'http://127.0.0.1:1' }],
  ])('does not open for a browser that %s', async (_, headers) => {
    const { cookie = '' } = await Browsing.signedIn(http, otherToken)
    using tab = new TerminalTab(http, 'bash/terminal', { cookie, ...headers })
    await tab.closed()
    expect(tab.refused).toBe(403)
  })

  it.each([
    ...['{"type":"resize","rows":0,"cols":80}', '{"type":"resize"}', 'no json', '[]', '{"type":"exec"}'],
    ...['{"type":"taken"}', '{"type":"taken","bytes":0}', '{"type":"taken","bytes":1.5}'],
  ])('ends for a frame that is none: %s', async (text) => {
    using tab = await opened()
    tab.socket.send(text)
    expect(await tab.hears('ended')).toMatchObject({ code: 'invalid-request' })
    await tab.closed()
  })

  it('ends for a tab that has taken more than it was sent', async () => {
    using tab = await opened()
    tab.take(1_000_000)
    const { code, message } = await tab.hears('ended')
    expect([code, message]).toEqual([
      'invalid-request',
      expect.stringContaining('more drawn bytes than were sent'),
    ])
    await tab.closed()
  })

  it('takes no frame of more than 64 KiB', async () => {
    using tab = await opened()
    tab.type(Buffer.alloc(64 * 1024 + 1, 'x'))
    await tab.closed()
  })
})

describe('back-pressure', () => {
  it('lets the command wait for a tab that does not read, and brings all of it when it does', async () => {
    using tab = await opened()
    tab.socket.pause()
    const bytes = 20 * 1024 * 1024
    tab.type(`stty -opost; head -c ${bytes} /dev/zero; exit\n`)
    const { session_id: sid = '' } = await tab.hears('opened')
    // Others of the same agent are served meanwhile.
    for (let other = 0; other < 5; other += 1)
      expect((await gateway.script('echo other')).body['output']).toBe('other\n')
    const { body } = await gateway.request('GET', `/api/sessions/${sid}`)
    expect(body['status']).toBe('open')
    tab.socket.resume()
    await waitFor(() => tab.said.some(({ type }) => type === 'ended'), 60_000)
    expect(tab.shownBytes).toBeGreaterThanOrEqual(bytes)
  })

  it('lets the command wait for a tab whose screen is slow, and brings all of it', async () => {
    using tab = await opened()
    tab.takes = false
    const bytes = 2 * 1024 * 1024
    tab.type(`stty -opost -echo; head -c ${bytes} /dev/zero; echo the l''ast; read -r; exit\n`)
    let taken = 0
    while (!tab.shown.includes('the last')) {
      await waitFor(() => tab.shownBytes > taken)
      // Time for more than may come.
      for (let other = 0; other < 3; other += 1) await gateway.request('GET', '/api/userinfo')
      const piece = Math.min(tab.shownBytes - taken, 20_000)
      expect(tab.shownBytes - taken).toBeLessThanOrEqual(MOST_UNTAKEN_BYTES)
      tab.take(piece)
      taken += piece
    }
    tab.type('\n')
    expect(await tab.hears('ended')).toMatchObject({ exit_code: 0 })
    expect(tab.shownBytes).toBeGreaterThanOrEqual(bytes)
  })

  it('lets the command wait for a tab that never says what it has taken, and holds up nobody else', async () => {
    using tab = await opened()
    tab.takes = false
    tab.type(`stty -opost; head -c ${20 * 1024 * 1024} /dev/zero; exit\n`)
    await waitFor(() => tab.shownBytes > MOST_UNTAKEN_BYTES / 4)
    for (let other = 0; other < 5; other += 1)
      expect((await gateway.script('echo other')).body['output']).toBe('other\n')
    using quick = await opened()
    quick.type(`head -c ${4 * 1024 * 1024} /dev/zero; exit\n`)
    await quick.hears('ended')
    expect(tab.shownBytes).toBeLessThanOrEqual(MOST_UNTAKEN_BYTES)
    const { session_id: sid = '' } = await tab.hears('opened')
    const { body } = await gateway.request('GET', `/api/sessions/${sid}`)
    expect(body['status']).toBe('open')
    // What is recorded has come to the gateway: it waits there for the tab.
    expect(body['event_size']).toBeLessThan(8 * 1024 * 1024)
    expect((await gateway.request('POST', `/api/sessions/${sid}/kill`)).status).toBe(204)
    expect(await tab.hears('ended')).toMatchObject({ code: 'session-killed' })
    await tab.closed()
  })

  it('lets the tab wait for an agent that takes nothing, and sends all when it does', async () => {
    await using own = await RunningGateway.start()
    await using silent = await ScriptedAgent.connected(own.agentUrl)
    using tab = TerminalTab.of(own.gateway.http, 'bash', asAdmin)
    const { sid } = await silent.packet('AgentSessionOpen')
    silent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
    await tab.hears('opened')
    silent.pause()
    for (let piece = 0; piece < 640; piece += 1) tab.type(Buffer.alloc(50_000, 'k'))
    // Long enough for all of it to go, if anybody took it.
    for (let other = 0; other < 50; other += 1)
      expect((await own.request('GET', '/api/userinfo')).status).toBe(200)
    // The system's own buffers take some of it.
    expect(tab.socket.bufferedAmount).toBeGreaterThan(8_000_000)
    silent.resume()
    const taken = () => silent.received.reduce((sum, { payload }) => sum + payload.length, 0)
    await waitFor(() => taken() >= 32_000_000, 60_000)
  })

  it('ends a terminal whose command reads nothing, and says why', async () => {
    using place = new Workplace()
    using gate = new Gate(place)
    using tab = await opened()
    tab.type(`stty raw -echo; ${gate.script} exit\n`)
    await gate.reached()
    for (let piece = 0; piece < 100; piece += 1) tab.type(Buffer.alloc(50_000, 'k'))
    const { message } = await tab.hears('ended')
    expect(message).toContain('its waiting input takes 4 MiB')
  })
})

describe('the interface beside sockets', () => {
  it('says what a terminal is to whoever asks for it without one', async () => {
    const { status, body } = await gateway.request('GET', '/api/connections/bash/terminal')
    expect([status, body['code']]).toEqual([422, 'invalid-request'])
  })

  it('opens no socket elsewhere', async () => {
    using tab = new TerminalTab(http, '../userinfo?x=', { ...asAdmin, origin: http })
    await tab.closed()
    expect(tab.said).toEqual([])
  })

  it('passes over the offer of another protocol, and reads the body behind it', async () => {
    const body = JSON.stringify({ connection: 'bash', script: 'echo by-an-offer' })
    const head = [
      ...['POST /api/sessions HTTP/1.1', 'Host: x', `Authorization: Bearer ${userToken}`],
      ...['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'],
      `Content-Length: ${body.length}`,
    ].join('\r\n')
    const last = `GET /api/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
    const [answer, next] = await rawAnswers(http, `${head}\r\n\r\n`, body.slice(0, 10), body.slice(10), last)
    expect(answer?.status).toBe(200)
    expect(answer?.body).toContain('by-an-offer')
    expect(next?.status).toBe(200)
  })
})

it('a gateway that closes ends its terminals, and waits for none that does not answer', async () => {
  await using own = await RunningGateway.start()
  const ownAgent = await RunningAgent.start(own.agentUrl, {})
  await ownAgent.serving()
  const tab = TerminalTab.of(own.gateway.http, 'bash', asAdmin)
  const silent = TerminalTab.of(own.gateway.http, 'bash', asAdmin)
  await tab.hears('opened')
  await silent.hears('opened')
  silent.socket.pause()
  await own.gateway.close()
  expect(await tab.hears('ended')).toMatchObject({ code: 'gateway-stopped' })
  silent.vanish()
  await ownAgent[Symbol.asyncDispose]()
})
