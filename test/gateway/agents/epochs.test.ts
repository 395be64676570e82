import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeEpoch, encodeEpoch, type Epoch, MET_EPOCHS } from '../../../src/wire/epochs.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

let gateway: RunningGateway
beforeEach(async () => {
  gateway = await RunningGateway.start()
})
afterEach(() => gateway[Symbol.asyncDispose]())

/** Connects as an agent that has met these epochs. @returns the epoch of the gateway, or the code of its refusal */
async function meet(...met: readonly string[]): Promise<Epoch | string | undefined> {
  const metadata = met.length === 0 ? {} : { [MET_EPOCHS]: met.join(',') }
  await using agent = new ScriptedAgent(gateway.gateway.grpc, {
    origin: 'agent',
    authorization: `Bearer ${gateway.agentUrl}`,
    ...metadata,
  })
  await waitFor(() => agent.error !== undefined || agent.received.length >= 2)
  if (agent.error !== undefined) return String(agent.error.metadata.get('runbook-agent-code')[0])
  const epoch = decodeEpoch(String(agent.received[0]?.spec['gateway.epoch']))
  agent.halfClose()
  await waitFor(() => agent.ended)
  return epoch
}

async function epochOfGateway(): Promise<Epoch> {
  const epoch = await meet()
  if (typeof epoch !== 'object') throw new Error(`no epoch, but ${epoch}`)
  return epoch
}

describe('a gateway that an agent connects to', () => {
  it('serves an agent that has met nothing, and tells all agents the same epoch', async () => {
    const epoch = await epochOfGateway()
    expect(await meet(encodeEpoch(epoch))).toEqual(epoch)
  })

  it.each([
    ['an epoch that this state lacks', (own: Epoch) => ({ ...own, id: '0'.repeat(16) })],
    ['an epoch of a copy that was taken over', (own: Epoch) => ({ ...own, takenOverAt: 1 })],
  ])('refuses an agent that has met %s, and says so in its log', async (_, other) => {
    const own = await epochOfGateway()
    expect(await meet('0'.repeat(16) + '.0.' + 'a'.repeat(16), encodeEpoch(other(own)))).toBe(
      'gateway-superseded',
    )
    const line = gateway.log.find((text) => text.includes('runs on an older copy of its state'))
    expect(line).toMatch(/^agent refused: .*history take-over.* \{"agent":"local","from":"127\.0\.0\.1"\}$/)
    expect((await gateway.request('GET', '/api/agents')).body).toMatchObject([{ status: 'DISCONNECTED' }])
  })

  it.each([
    ['other states', () => [`${'0'.repeat(16)}.9.${'0'.repeat(16)}`]],
    ['what it cannot read', (own: string) => ['', 'x', `${own}.newer`, 'a'.repeat(4000)]],
  ])('serves an agent that has met %s', async (_, met) => {
    const own = await epochOfGateway()
    expect(await meet(...met(encodeEpoch(own)))).toEqual(own)
  })
})
