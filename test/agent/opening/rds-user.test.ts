import { createServer, type AddressInfo } from 'node:net'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { AwsServer } from '../../support/secrets/aws-server.ts'
import { own } from '../../support/owned.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

agentForEachTest()

let port: number

beforeEach(async () => {
  const aws = own(await AwsServer.start())
  for (const [name, value] of Object.entries(aws.variables)) vi.stubEnv(name, value)
  own({ [Symbol.dispose]: () => vi.unstubAllEnvs() })
  // The server that is tried before a session of a database is accepted.
  const server = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  own({ [Symbol.dispose]: () => void server.close() })
  port = (server.address() as AddressInfo).port
})

/** Its arguments and who signs in, as the command sees them. */
async function seenBy(connectionType: string, user: string, cmdList: string[], clientArgs: string[] = []) {
  const sid = `${connectionType}-${cmdList.length}`
  const env = { USER: user, HOST: '127.0.0.1', PORT: String(port), PASS: 'old' }
  const envVars = new Map(Object.entries(env).map(([name, value]) => [`envvar:${name}`, base64(value)]))
  const params = { connectionType, envVars, cmdList, clientArgs, clientOrigin: 'client' }
  gateway.send('AgentSessionOpen', openSpec(sid, params))
  await waitFor(() => gateway.of(sid).length > 0)
  const script = 'echo "$*"; echo "$USER ${PASS%%&*}"'
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  await gateway.closeOf(sid)
  return gateway.written(sid).split('\n').slice(0, -1)
}

describe("a user of RDS, who signs in with a token of the agent's role", () => {
  const TOKEN = () => `app 127.0.0.1:${port}/?Action=connect`

  it("makes MySQL's client send it as it is: with --enable-cleartext-plugin, before the arguments of the client", async () => {
    expect(await seenBy('mysql', '_aws_iam_rds:app', ['bash', '-s', 'db'], ['-t'])).toEqual([
      'db --enable-cleartext-plugin -t',
      TOKEN(),
    ])
  })

  it('adds it once, where the command has it already', async () => {
    const command = ['bash', '-s', 'db', '--enable-cleartext-plugin', '-B']
    expect(await seenBy('mysql', '_aws_iam_rds:app', command)).toEqual([
      'db --enable-cleartext-plugin -B',
      TOKEN(),
    ])
  })

  it('adds nothing for another type, nor for a user with a password of his own', async () => {
    expect(await seenBy('postgres', '_aws_iam_rds:app', ['bash', '-s', 'db'])).toEqual(['db', TOKEN()])
    expect(await seenBy('mysql', 'app', ['bash', '-s', 'db'])).toEqual(['db', 'app old'])
  })
})
