import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MachineSite } from './machine.ts'

let site: MachineSite
beforeAll(async () => {
  site = await MachineSite.start()
  await site.call('disk', { connection: 'bash' })
})
afterAll(() => site[Symbol.asyncDispose]())

interface Tool {
  readonly name: string
  readonly annotations?: object
}
interface Result {
  readonly structuredContent?: Record<string, unknown>
  readonly content?: unknown
  readonly isError?: boolean
}
interface AnyClient {
  readonly connect: () => Promise<unknown>
  readonly list: () => Promise<readonly Tool[]>
  readonly call: (name: string, given: object, onProgress?: () => void) => Promise<Result>
  readonly close: () => Promise<void>
}

const place = () => new URL(`${site.gateway.gateway.http}/mcp`)
const init = () => ({
  requestInit: { headers: { authorization: `Bearer ${site.token}`, connection: 'close' } },
})

function v2(mode: 'auto' | 'legacy'): AnyClient {
  const client = new Client({ name: 'probe', version: '2' }, { versionNegotiation: { mode } })
  return {
    connect: () => client.connect(new StreamableHTTPClientTransport(place(), init())),
    list: async () => (await client.listTools()).tools as Tool[],
    call: async (name, given, onprogress) =>
      (await client.callTool(
        { name, arguments: given as Record<string, unknown> },
        onprogress && { onprogress },
      )) as Result,
    close: () => client.close(),
  }
}

function of2025(): AnyClient {
  const client = new OldClient({ name: 'probe', version: '1' })
  return {
    // The package's own types differ under exactOptionalPropertyTypes.
    connect: () => client.connect(new OldTransport(place(), init())),
    list: async () => (await client.listTools()).tools as Tool[],
    call: async (name, given, onprogress) =>
      (await client.callTool(
        { name, arguments: given as Record<string, unknown> },
        undefined,
        onprogress && { onprogress },
      )) as Result,
    close: () => client.close(),
  }
}

describe.each([
  ['the official client in its newest era', () => v2('auto')],
  ['the official client in the era of 2025', () => v2('legacy')],
  ['the official client of 2025', of2025],
])('%s', (_, make) => {
  it('lists and calls tools, and gets each answer as object and as text', async () => {
    const client = make()
    await client.connect()
    const tools = await client.list()
    const named = (part: string) => tools.find(({ name }) => name.includes(part))?.name ?? ''
    const done = await client.call(named('disk'), { connection: 'bash', parameters: { folder: '/srv' } })
    expect(done.structuredContent).toMatchObject({ state: 'succeeded', exit_code: 0, output: 'free: /srv\n' })
    const failed = await client.call(named('fails'), { connection: 'bash' })
    expect(failed).toMatchObject({
      isError: true,
      structuredContent: { state: 'failed', exit_code: 3, output: 'gone\n' },
    })
    const waiting = await client.call(named('disk'), { connection: 'asked' })
    expect(waiting.structuredContent).toMatchObject({ state: 'waiting', exit_code: null })
    const wrong = await client.call(named('disk'), { connection: 'nowhere' })
    expect(wrong).toMatchObject({
      isError: true,
      structuredContent: { state: 'refused', code: 'invalid-arguments' },
    })
    for (const { content, structuredContent } of [done, failed, waiting, wrong])
      expect(content).toEqual([{ type: 'text', text: JSON.stringify(structuredContent) }])
    await expect(client.call('nothing', {})).rejects.toThrow(/Unknown tool/)
    await client.close()
  })

  it('gets an answer that was long under way, by a stream', async () => {
    const client = make()
    await client.connect()
    const name = (await client.list()).find((tool) => tool.name.includes('disk'))?.name ?? ''
    const done = await client.call(name, { connection: 'bash' }, () => undefined)
    expect(done.structuredContent).toMatchObject({ state: 'succeeded' })
    await client.close()
  })
})
