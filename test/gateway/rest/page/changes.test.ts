import http, { type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScriptedAgent } from '../../../support/scripted/scripted-agent.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'
import { Browsing } from './browsing.ts'

let gateway: RunningGateway
beforeAll(async () => {
  const connections = '\n  - { name: asked, agent: local, command: [bash], review: { groups: [admin] } }'
  gateway = await RunningGateway.start({}, { connections })
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** What one tab hears. */
class Listener implements Disposable {
  readonly #answer: IncomingMessage
  text = ''

  static async open(headers: Readonly<Record<string, string>>): Promise<Listener> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { headers, agent: false }
      http.get(`${gateway.gateway.http}/api/changes`, options, resolve).once('error', reject)
    })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('text/event-stream')
    const listener = new Listener(answer)
    await waitFor(() => listener.text.includes(': connected'))
    return listener
  }

  private constructor(answer: IncomingMessage) {
    this.#answer = answer
    answer.setEncoding('utf8').on('data', (text: string) => (this.text += text))
    answer.on('error', () => undefined)
  }

  /** All topics so far. */
  get topics(): Set<string> {
    const events = [...this.text.matchAll(/^event: changed\ndata: (.*)\n\n/gm)]
    return new Set(events.flatMap(([, data = '']) => (JSON.parse(data) as { topics: string[] }).topics))
  }

  get isOver(): boolean {
    return this.#answer.destroyed
  }

  [Symbol.dispose](): void {
    this.#answer.destroy()
  }
}

const asAdmin = { authorization: `Bearer ${userToken}` }
const ask = async (script: string) =>
  String((await gateway.request('POST', '/api/sessions', { connection: 'asked', script })).body['session_id'])

describe('the stream of changes', () => {
  it('says which lists have changed, and nothing of what is in them', async () => {
    using listener = await Listener.open(asAdmin)
    const id = await ask('echo secret-of-the-script')
    await waitFor(() => listener.topics.has('sessions') && listener.topics.has('reviews'))
    expect(listener.text).not.toContain(id)
    expect(listener.text).not.toContain('secret-of-the-script')
    expect(listener.topics).toEqual(new Set(['sessions', 'reviews']))
  })

  it('says when an agent comes, and when it goes', async () => {
    using listener = await Listener.open(asAdmin)
    {
      await using agent = await ScriptedAgent.connected(gateway.agentUrl)
      expect(agent).toBeDefined()
      await waitFor(() => listener.topics.has('agents'))
      listener.text = ''
    }
    await waitFor(() => listener.topics.has('agents'))
  })

  it('tells each of fifty tabs, and makes one event of many changes', async () => {
    const tabs = await Promise.all(Array.from({ length: 50 }, () => Listener.open(asAdmin)))
    try {
      for (let change = 0; change < 20; change += 1) await ask('true')
      await waitFor(() => tabs.every(({ topics }) => topics.has('sessions')))
      for (const { text } of tabs) expect(text.match(/^event: /gm)?.length).toBeLessThan(20)
    } finally {
      for (const tab of tabs) tab[Symbol.dispose]()
    }
  })

  it.each([
    ['', {}],
    [', also one that offers another protocol', { upgrade: 'websocket' }],
  ])('ends when its browser is signed out%s', async (_, offer) => {
    const { http: origin } = gateway.gateway
    const browsing = await Browsing.signedIn(origin, otherToken)
    const cookie = browsing.cookie ?? ''
    using listener = await Listener.open({ cookie, origin, 'sec-fetch-site': 'same-origin', ...offer })
    await browsing.ask('POST', '/api/page/sign-out')
    await waitFor(() => listener.isOver)
  })

  it('has places for so many tabs of one user', async () => {
    const tabs = await Promise.all(Array.from({ length: 64 }, () => Listener.open(asAdmin)))
    try {
      const refused = await gateway.request('GET', '/api/changes')
      expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-clients' } })
      using another = await Listener.open({ authorization: `Bearer ${otherToken}` })
      expect(another.isOver).toBe(false)
    } finally {
      for (const tab of tabs) tab[Symbol.dispose]()
    }
  })
})
