import http, { type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'
import { Browsing } from './browsing.ts'

// Fifty tabs of one browser follow one session, each on a socket of its own, and some of them read nothing.

const TABS = 50
const STALLED = 10
const MIB = 1024 * 1024
/** Less than an agent sends of a script, and more than the buffers of the system take. */
const WRITTEN = 9 * MIB

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { limits: '{ wait: 100ms }' })
  agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

/** A tab that follows: it counts, and keeps nothing. */
class Tab implements Disposable {
  readonly #answer: IncomingMessage
  bytes = 0
  isOver = false

  static async open(url: string, cookie: string): Promise<Tab> {
    const options = { headers: { cookie, 'sec-fetch-site': 'same-origin' }, agent: false }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      http.get(url, options, resolve).once('error', reject)
    })
    expect(answer.statusCode).toBe(200)
    return new Tab(answer)
  }

  private constructor(answer: IncomingMessage) {
    this.#answer = answer
    answer.on('error', () => undefined)
  }

  read(): void {
    let last = ''
    this.#answer.on('data', (data: Buffer) => {
      this.bytes += data.length
      last = (last + data.toString('latin1', Math.max(0, data.length - 100))).slice(-100)
      this.isOver ||= last.includes('event: session_end')
    })
  }

  [Symbol.dispose](): void {
    this.#answer.destroy()
  }
}

describe('a session that fifty tabs follow', () => {
  it('costs fifty streams of its bytes, and those who read nothing slow nobody', async () => {
    const browsing = await Browsing.signedIn(gateway.gateway.http, otherToken)
    const script = `head -c ${WRITTEN} /dev/zero | tr '\\0' x; read -r _ < /dev/null; exit 3`
    const asked = await browsing.ask('POST', '/api/sessions', { connection: 'bash', script })
    const id = String(asked.body['session_id'])
    const url = `${gateway.gateway.http}/api/sessions/${id}/stream`
    const cookie = browsing.cookie ?? ''
    const tabs = await Promise.all(Array.from({ length: TABS }, () => Tab.open(url, cookie)))
    try {
      const reading = tabs.slice(STALLED)
      for (const tab of reading) tab.read()
      // The command ends, and all who read see it, while ten tabs have read nothing.
      await waitFor(() => reading.every(({ isOver }) => isOver), 100_000)
      const { body } = await browsing.ask('GET', `/api/sessions/${id}`)
      expect(body).toMatchObject({ status: 'done', exit_code: 3 })
      // Each got the output once, in base64 with some words around each piece.
      for (const { bytes } of reading) {
        expect(bytes).toBeGreaterThan(WRITTEN * (4 / 3))
        expect(bytes).toBeLessThan(WRITTEN * (4 / 3) * 1.05)
      }
      for (const tab of tabs.slice(0, STALLED)) tab.read()
      await waitFor(() => tabs.every(({ isOver }) => isOver), 60_000)
    } finally {
      for (const tab of tabs) tab[Symbol.dispose]()
    }
  }, 180_000)
})
