import { afterEach, beforeEach } from 'vitest'
import { ScriptedGateway } from '../scripted/scripted-gateway.ts'
import { RunningAgent, type AgentOptions } from './running-agent.ts'

/** Those of the test that runs. */
export let gateway: ScriptedGateway
export let running: RunningAgent

let defaults: AgentOptions = {}

/** Each test gets a gateway that does what it says, and an agent that serves there. */
export function agentForEachTest(options: AgentOptions = {}): void {
  defaults = options
  beforeEach(async () => {
    gateway = await ScriptedGateway.start()
    await start({})
  })
  afterEach(async () => {
    await running[Symbol.asyncDispose]()
    await gateway[Symbol.asyncDispose]()
  })
}

/** Ends the agent and starts another one. */
export async function restart(options: AgentOptions, key = gateway.key()): Promise<void> {
  await running[Symbol.asyncDispose]()
  await start(options, key)
}

async function start(options: AgentOptions, key = gateway.key()): Promise<void> {
  running = await RunningAgent.start(key, { ...defaults, ...options })
  await running.serving()
}
