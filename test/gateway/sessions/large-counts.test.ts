import { expect, it } from 'vitest'
import { userToken, RunningGateway } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'

const LARGEST = Number.MAX_SAFE_INTEGER

it.each([
  ['3 GiB', '3221225472', 3_221_225_472],
  ['more than a number can count exactly', '99999999999999999999', LARGEST],
])('what is left out of an output and replaced in it is told and kept: %s', async (_name, sent, told) => {
  await using gateway = await RunningGateway.start()
  await using agent = await ScriptedAgent.connected(gateway.agentUrl)
  const asked = gateway.script('cat /dev/zero')
  const { sid } = await agent.packet('AgentSessionOpen')
  const session = { 'gateway.session_id': sid }
  agent.send('ClientSessionOpenOK', { ...session, 'gateway.connection_type': 'command-line' })
  await agent.packet('AgentExecWriteStdin')
  agent.send('ClientWriteStdout', session, 'head')
  const counts = { 'client.truncated_bytes': sent, 'client.redacted_bytes': sent }
  agent.send('ClientSessionClose', { ...session, 'client.exit_code': '0', ...counts })
  expect(await asked).toMatchObject({ status: 200, body: { truncated: true, redacted_bytes: told } })
  expect((await gateway.request('GET', `/api/sessions/${sid}`)).body).toMatchObject({
    ...{ truncated_bytes: told, redacted_bytes: told, metrics: { truncated: true } },
  })
  const events = await fetch(`${gateway.gateway.http}/api/sessions/${sid}/stream`, {
    headers: { authorization: `Bearer ${userToken}`, connection: 'close' },
  })
  expect(await events.text()).toContain(`{"missing_bytes":${told}}`)
})
