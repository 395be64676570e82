import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../support/running-agent.ts'
import { RunningGateway } from '../../support/running-gateway.ts'
import { ScriptedClient } from '../../support/scripted-client.ts'

// Command line clients, the gateway and an agent with real commands.

let gateway: RunningGateway
let agent: RunningAgent

beforeEach(async () => {
  gateway = await RunningGateway.start()
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
})
afterEach(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const client = (verb: 'exec' | 'connect', more: Record<string, string> = {}) =>
  new ScriptedClient(gateway.gateway.grpc, { 'connection-name': 'bash', verb, ...more })

describe('exec', () => {
  it('streams both outputs apart and ends in good order with the code', async () => {
    await using exec = client('exec')
    expect(await exec.exec('echo out; echo err >&2; exit 7')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      code: 7,
      message: '',
    })
    expect([exec.status?.code, exec.status?.details]).toEqual([0, 'OK'])
  })
})

describe('connect', () => {
  it('is a terminal of the right size', async () => {
    await using terminal = client('connect')
    await terminal.connect({ rows: 33, cols: 101 })
    terminal.type('stty size; tty; exit 5\n')
    const { stdout, code } = await terminal.ended()
    expect(stdout).toContain('33 101')
    expect(stdout).toContain('/dev/pts/')
    expect([code, terminal.status?.code]).toEqual([5, 0])
  })
})
