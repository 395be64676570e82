import { expect, it } from 'vitest'
import { own } from '../../support/owned.ts'
import { openSpec } from '../../support/scripted/open.ts'
import { Presidio } from '../../support/scripted/presidio.ts'
import { agentForEachTest, gateway, running } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

agentForEachTest()

const RULES = Buffer.from(
  JSON.stringify([{ supported_entity_types: [{ entity_types: ['PERSON'] }], custom_entity_types: null }]),
)

it.each(['strict', 'best-effort'])(
  'a session that the gateway closes waits for no answer of Presidio, and shows nothing (%s)',
  async (dlpMode) => {
    const presidio = own(await Presidio.start())
    const closed = new Promise<void>((resolve) =>
      presidio.analyzer.on('POST /analyze', (_, response) => void response.on('close', resolve)),
    )
    const params = { dlpProvider: 'mspresidio', dlpMode, dataMaskingEntityTypesData: RULES }
    gateway.send(
      'AgentSessionOpen',
      openSpec('s1', { ...params, dlpPresidioAnalyzerUrl: presidio.analyzer.url }),
    )
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo Ada; sleep 60')
    await waitFor(() => presidio.analyzer.received.length > 0)
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
    await closed
    await waitFor(() => running.entries.some(({ event }) => event === 'ended'))
    expect(running.entries.at(-1)).toMatchObject({
      event: 'ended',
      reason: 'closed-by-gateway',
      bytesSent: 0,
    })
    // As it would be said when the 5 s had passed.
    expect(running.log.join('\n')).not.toMatch(/did not answer|passes unmasked/)
  },
)
