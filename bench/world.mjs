import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { Program } from './program.mjs'
import { RestClient } from './rest-client.mjs'
import { ScriptedGateway } from './scripted-gateway.mjs'

/** Requests at once wherever there are several. */
export const IN_FLIGHT = 32

/**
 * Everything of one round, started anew: an agent at a scripted gateway in this process, and an agent at our own
 * gateway, which is driven through REST. `startMs` are the times the starts took.
 */
export class World {
  agent
  scripted
  gateway
  gatewaysAgent
  rest
  startMs
  #folder
  #repository

  /**
   * @param {string} folder made here, for everything that is written
   * @param {string} repository a git repository
   */
  static async open(folder, repository) {
    mkdirSync(folder)
    const world = new World(folder, repository)
    const agent = await world.#startAgent()
    const gateway = await world.#startGateway()
    world.startMs = { agent, gateway }
    return world
  }

  constructor(folder, repository) {
    this.#folder = folder
    this.#repository = repository
  }

  async close() {
    this.rest.close()
    await Promise.all([this.agent.stop(), this.gatewaysAgent.stop()])
    await this.gateway.stop()
    this.scripted.stop()
  }

  /** @returns {Promise<number>} milliseconds from its start to its stream */
  async #startAgent() {
    this.scripted = await ScriptedGateway.start()
    const startedAt = performance.now()
    this.agent = this.#agent('agent', this.scripted.key)
    await this.agent.started(this.scripted.connected)
    return performance.now() - startedAt
  }

  /** @returns {Promise<number>} milliseconds from its start until it listens; its agent is connected as well then */
  async #startGateway() {
    const token = randomBytes(32).toString('hex')
    const key = `xagt-${randomBytes(16).toString('hex')}`
    const config = path.join(this.#folder, 'gateway.yaml')
    writeFileSync(config, gatewayYaml(token, key, this.#repository), { mode: 0o600 })
    const startedAt = performance.now()
    this.gateway = this.#program('gateway', ['gateway', '--config', config, '--json'], {})
    const ready = JSON.parse(await this.gateway.firstLine())
    const ms = performance.now() - startedAt
    this.rest = new RestClient(ready.http, token, IN_FLIGHT)
    const address = ready.grpc.replace('grpc://', '')
    this.gatewaysAgent = this.#agent('gateways-agent', `grpc://bench:${key}@${address}?mode=standard`)
    // The gateway holds it until its agent is there.
    const first = this.rest.execute('/api/sessions', { connection: 'sh', script: 'true' }, '')
    await this.gatewaysAgent.started(first)
    return ms
  }

  #agent(name, key) {
    return this.#program(name, ['start'], { HOOP_KEY: key })
  }

  #program(name, args, env) {
    return new Program(args, env, path.join(this.#folder, name))
  }
}

function gatewayYaml(token, key, repository) {
  return `listen: { http: 127.0.0.1:0, grpc: 127.0.0.1:0 }
state: ./state
users: [{ name: bench, token: ${token}, groups: [admin] }]
agents: [{ name: bench, key: ${key} }]
repositories: [{ name: bench, url: ${repository}, branch: main }]
connections: [{ name: sh, agent: bench, command: [sh], runbooks: { repository: bench } }]
`
}
