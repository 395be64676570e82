import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Agent } from '../../src/agent/agent.ts'
import { parseKey } from '../../src/agent/identity.ts'
import type { SessionServices } from '../../src/agent/session-services.ts'
import { Slots } from '../../src/agent/slots.ts'
import { inheritedEnvironment } from '../../src/envvars/inherited.ts'
import { RuntimeFolder } from '../../src/envvars/runtime-folder.ts'
import { MemoryBudget } from '../../src/runtime/memory-budget.ts'
import { engine } from './execute.ts'
import { waitFor } from './wait.ts'

export interface AgentOptions {
  readonly slots?: number
  readonly outputCapBytes?: number
  readonly killGraceMs?: number
  readonly maxDurationMs?: number
}

/** An agent in this process, with everything real; disposing it ends it and shows that it left nothing. */
export class RunningAgent implements AsyncDisposable {
  readonly agent: Agent
  readonly services: SessionServices
  readonly log: string[]
  readonly #base: string
  readonly #run: Promise<void>

  static async start(key: string, options: AgentOptions = {}): Promise<RunningAgent> {
    const base = mkdtempSync(path.join(tmpdir(), 'agent-'))
    const log: string[] = []
    const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
    const services: SessionServices = {
      engine,
      folder: await RuntimeFolder.open({ preferred: base, env: {} }),
      settings: {
        outputCapBytes: options.outputCapBytes ?? 10 * 1024 * 1024,
        killGraceMs: options.killGraceMs ?? 2000,
        maxDurationMs: options.maxDurationMs,
      },
      inherited: inheritedEnvironment({ PATH: process.env['PATH'], HOME: base }),
      cwd: base,
      slots: new Slots(options.slots ?? 100),
      tails: new MemoryBudget(64 * 1024 * 1024),
      log: { debug: write, info: write, warn: write, error: write },
    }
    return new RunningAgent(new Agent(parseKey(key, 'HOOP_KEY'), services), services, log, base)
  }

  private constructor(agent: Agent, services: SessionServices, log: string[], base: string) {
    this.agent = agent
    this.services = services
    this.log = log
    this.#base = base
    this.#run = agent.run()
  }

  async serving(): Promise<void> {
    await waitFor(() => this.agent.state.name === 'serving', 10_000)
  }

  /** Names of everything in the agent's folder for secret files. */
  secretFiles(): string[] {
    return readdirSync(this.services.folder.path, { recursive: true })
      .map(String)
      .filter((name) => name.includes('/'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.drain()
    this.agent.stop()
    await this.#run
    await this.services.folder.close()
    rmSync(this.#base, { recursive: true })
  }
}
