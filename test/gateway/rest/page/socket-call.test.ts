import { once } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { SocketCall } from '../../../../src/gateway/rest/page/socket-call.ts'
import { encodeAgentMessage } from '../../../../src/wire/messages/from-agent.ts'
import { decodeClientPacket } from '../../../../src/wire/messages/from-client.ts'
import type { Packet, SessionId } from '../../../../src/wire/packet.ts'
import { waitFor } from '../../../support/wait.ts'
import { socketPair } from './socket-pair.ts'

/** Sent by an agent, passed on to a tab. */
function shown(text: string): Packet {
  return encodeAgentMessage({ kind: 'stdout', sid: 'sid' as SessionId, data: Buffer.from(text) })
}

function output(bytes: number): Packet {
  return shown('x'.repeat(bytes))
}

const opened = encodeAgentMessage({
  kind: 'opened',
  sid: 'sid' as SessionId,
  connectionType: 'command-line',
  command: 'bash',
  requestPort: '',
})

async function callWithTab(awayMs: number | 'usual' = 1) {
  const { own, peer, close } = await socketPair(true)
  const asked = { user: {}, token: {}, callerAddress: '127.0.0.1', params: { name: 'bash' }, query: {} }
  const [, request] = [own, asked] as unknown as ConstructorParameters<typeof SocketCall>
  const call = awayMs === 'usual' ? new SocketCall(own, request) : new SocketCall(own, request, awayMs)
  const shown: number[] = []
  peer.on('message', (data: Buffer) => shown.push(data.length))
  return { call, own, peer, shown, [Symbol.asyncDispose]: close }
}

describe('the terminal of a tab', () => {
  it('waits for what the tab has drawn, and no more when nothing comes behind it: the rest and the end arrive', async () => {
    await using site = await callWithTab()
    const ended = once(site.peer, 'close')
    for (let count = 0; count < 10; count += 1) site.call.send(output(100_000))
    await waitFor(() => site.shown.length === 3)
    expect(site.call.unsentBytes).toBeGreaterThan(1_000_000)
    site.call.end()
    expect((await ended)[0]).toBe(1000)
    expect(site.shown).toEqual(Array.from({ length: 10 }, () => 100_000))
    await site.call.over
  })

  it('takes no offence at a tab that says behind the end what it has drawn', async () => {
    await using site = await callWithTab()
    const ended = once(site.peer, 'close')
    site.peer.on('message', (data: Buffer) =>
      site.peer.send(JSON.stringify({ type: 'taken', bytes: data.length })),
    )
    site.call.send(output(300_000))
    site.call.end()
    expect((await ended)[0]).toBe(1000)
    expect(site.shown).toEqual([300_000])
  })

  it('waits a while for a tab that has gone, and does nothing then', async () => {
    await using site = await callWithTab()
    site.call.send(opened)
    site.call.send(output(300_000))
    site.peer.terminate()
    await site.call.over
    site.call.end()
    expect(site.call.isOver).toBe(true)
  })

  it('ends in good order while its tab is away, with thousands of small frames that wait', async () => {
    await using site = await callWithTab(60_000)
    site.call.send(opened)
    site.peer.terminate()
    await once(site.own, 'close')
    for (let count = 0; count < 15_000; count += 1) site.call.send(output(1))
    expect(site.call.unsentBytes).toBeGreaterThan(900_000)
    site.call.end()
    await site.call.over
    expect(site.call.unsentBytes).toBe(0)
  })

  it('waits 30 seconds for its tab', async () => {
    await using site = await callWithTab('usual')
    site.call.send(opened)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    site.peer.terminate()
    await once(site.own, 'close')
    vi.advanceTimersByTime(29_999)
    expect(site.call.isOver).toBe(false)
    vi.advanceTimersByTime(1)
    expect(site.call.isOver).toBe(true)
  })

  it('waits for no tab that was not told its session: it could not come back', async () => {
    await using site = await callWithTab(60_000)
    site.peer.terminate()
    await site.call.over
    expect(site.call.isOver).toBe(true)
  }, 10_000)
})

describe('a tab that is loaded again', () => {
  /** The call of a tab that has drawn this, was sent more and is gone, and the tab's next socket. */
  async function cameBack(drawn: readonly string[], undrawn: readonly string[]) {
    const site = await callWithTab(60_000)
    const packets = site.call.packets()
    await packets.next()
    site.call.send(opened)
    for (const text of drawn) site.call.send(shown(text))
    site.peer.send(JSON.stringify({ type: 'taken', bytes: drawn.join('').length }))
    await waitFor(() => site.call.unsentBytes === 0)
    for (const text of undrawn) site.call.send(shown(text))
    const { own, peer, close } = await socketPair(true)
    const heard: string[] = []
    peer.on('message', (data: Buffer) => heard.push(data.toString()))
    site.peer.terminate()
    expect(site.call.attach(own)).toBe(true)
    return {
      ...{ call: site.call, packets, peer, heard },
      async [Symbol.asyncDispose]() {
        site.call.fail('session-killed', 'killed')
        await site.call.over
        await Promise.all([close(), site[Symbol.asyncDispose]()])
      },
    }
  }

  it('is told its session, then what was shown, then what comes', async () => {
    await using tab = await cameBack(['one '], ['two '])
    tab.call.send(output(3))
    await waitFor(() => tab.heard.includes('xxx'))
    expect(tab.heard).toEqual([
      '{"type":"opened","session_id":"sid"}',
      '{"type":"replay","bytes":8}',
      'one two ',
      'xxx',
    ])
  })

  it('gets all that was not drawn, and the modes of what is kept no more; its program draws anew', async () => {
    const drawn = ['\x1b[?1049h\x1b[?2', '5l\x1b[?1;1002h\x1b[?1l', 'd'.repeat(200_000)]
    const undrawn = ['u'.repeat(200_000)]
    await using tab = await cameBack(drawn, undrawn)
    await waitFor(() => tab.heard.length === 3)
    const [, replay = '', kept = ''] = tab.heard
    expect(JSON.parse(replay)).toEqual({ type: 'replay', bytes: kept.length })
    expect(kept.slice(0, 40)).toContain('\x1b[?1049h')
    expect(kept.slice(0, 40)).toContain('\x1b[?25l')
    expect(kept.slice(0, 40)).toContain('\x1b[?1l')
    expect(kept).toContain(undrawn.join(''))
    tab.peer.send(JSON.stringify({ type: 'resize', rows: 30, cols: 90 }))
    const sizes = [await tab.packets.next(), await tab.packets.next(), await tab.packets.next()]
    expect(sizes.map(({ value }) => value && decodeClientPacket(value))).toMatchObject([
      { kind: 'resize', rows: 29, cols: 90 },
      { kind: 'input' },
      { kind: 'resize', rows: 30, cols: 90 },
    ])
  })

  it('makes no more room by coming back again and again: only what is drawn does', async () => {
    await using tab = await cameBack(['one '], [])
    for (let count = 0; count < 40; count += 1) tab.call.send(output(50_000))
    const unsent = tab.call.unsentBytes
    const pairs = await Promise.all(Array.from({ length: 5 }, () => socketPair(true)))
    for (const { own } of pairs) expect(tab.call.attach(own)).toBe(true)
    expect(tab.call.unsentBytes).toBe(unsent)
    await Promise.all(pairs.map(({ close }) => close()))
  })

  it('has two sockets at most: the oldest is ended though it does not answer its close', async () => {
    await using tab = await cameBack([], [])
    const deaf = await socketPair(true)
    deaf.peer.pause()
    expect(tab.call.attach(deaf.own)).toBe(true)
    // WebSockets alone would wait for 30 seconds.
    const ended = once(deaf.own, 'close')
    const pairs = [await socketPair(true), await socketPair(true)]
    for (const { own } of pairs) expect(tab.call.attach(own)).toBe(true)
    await ended
    await Promise.all([deaf, ...pairs].map(({ close }) => close()))
  }, 10_000)

  it('gets all of many small pieces', async () => {
    const text = Array.from({ length: 3000 }, (_, at) => `${at % 10}`)
    await using tab = await cameBack(text, [])
    await waitFor(() => tab.heard.length === 3)
    expect(tab.heard[2]).toBe(text.join(''))
  })
})
