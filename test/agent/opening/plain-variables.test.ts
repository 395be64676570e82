import { expect, it } from 'vitest'
import { encodeStringList } from '../../../src/wire/params.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

agentForEachTest()

/** The output of a script on a connection with these variables, of which the gateway calls some plain. */
async function shown(
  script: string,
  variables: Record<string, string>,
  { plain = [], added = {} }: { plain?: string[]; added?: Record<string, Buffer> },
): Promise<string> {
  const sid = 'plain'
  const envVars = new Map(Object.entries(variables).map(([key, value]) => [key, base64(value)]))
  gateway.send('AgentSessionOpen', {
    ...openSpec(sid, { envVars, plainEnvVars: plain }, { 'envvar:OF_CALLER': base64('kJ8-xx2p-caller') }),
    ...added,
  })
  await waitFor(() => gateway.of(sid).length > 0)
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  await gateway.closeOf(sid)
  return gateway.written(sid)
}

it("a connection's variable that the gateway calls plain is shown, unless it is a file or its name sounds secret", async () => {
  const variables = {
    'envvar:NOTE': 'kJ8-xx2p-note',
    'envvar:OTHER': 'kJ8-xx2p-other',
    'envvar:DB_PASSWORD': 'kJ8-xx2p-password',
    'filesystem:SETTINGS': 'kJ8-xx2p-settings',
  }
  const script = 'echo "$NOTE $OTHER $DB_PASSWORD $(cat "$SETTINGS") $OF_CALLER"'
  expect(await shown(script, variables, { plain: ['NOTE', 'DB_PASSWORD', 'SETTINGS', 'OF_CALLER'] })).toBe(
    'kJ8-xx2p-note [REDACTED] [REDACTED] [REDACTED] kJ8-xx2p-caller\n',
  )
})

it.each(['agent.plain_envvars', 'agent.plain_env_vars', 'PlainEnvVars'])(
  'a key %s that a client has added to its opening makes no variable plain',
  async (key) => {
    const added = { [key]: encodeStringList(['NOTE']) }
    expect(await shown('echo "$NOTE"', { 'envvar:NOTE': 'kJ8-xx2p-note' }, { added })).toBe('[REDACTED]\n')
  },
)
