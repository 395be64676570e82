import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Agent, type AgentOptions as LifeOptions } from '../../../src/agent/agent.ts'
import { parseKey, type Identity, type IdentitySource } from '../../../src/agent/connection/identity.ts'
import type { LogLine } from '../../../src/basics/logger.ts'
import type { MaskingSettings } from '../../../src/agent/masking/session-masking.ts'
import type { PolicySource } from '../../../src/agent/policy/owner-policy.ts'
import { type AgentServices, Slots } from '../../../src/agent/running/services.ts'
import { ProgramVersions } from '../../../src/agent/opening/client-escapes.ts'
import { Redactions } from '../../../src/agent/output/redaction.ts'
import { AgentEnvironment, inheritedEnvironment } from '../../../src/envvars/agent-environment.ts'
import { openSecretStores } from '../../../src/envvars/secrets/open-stores.ts'
import { RuntimeFolder } from '../../../src/envvars/folder/runtime-folder.ts'
import type { JournalEntry } from '../../../src/agent/journal/entries.ts'
import { StartedSessions } from '../../../src/agent/journal/started-sessions.ts'
import { CompiledCache } from '../../../src/policy/compiled-cache.ts'
import { SecretNames } from '../../../src/policy/redaction/secret-names.ts'
import { OomWatch } from '../../../src/runtime/cgroups/oom-watch.ts'
import { TailMemory } from '../../../src/runtime/output-tail.ts'
import { engine } from './execute.ts'
import { logged } from './logged.ts'
import { waitFor } from '../wait.ts'

export interface AgentOptions {
  readonly slots?: number
  readonly outputCapBytes?: number
  readonly killGraceMs?: number
  readonly maxDurationMs?: number
  readonly onCap?: 'continue' | 'kill'
  readonly background?: 'kill' | 'leave'
  readonly redact?: 'on' | 'off'
  /** Files that count what the kernel kills for lack of memory. */
  readonly oomCounters?: readonly string[]
  /** Ids of sessions that ran before this agent was started: it then starts no session twice. */
  readonly startedBefore?: readonly string[]
  /** Of the agent's own settings. */
  readonly presidio?: MaskingSettings['presidio']
  /** What the server's owner forbids. */
  readonly policy?: PolicySource
  /** What connections may refer to. */
  readonly agentEnvironment?: Readonly<Record<string, string>>
  /** Times, proxy, what a loss means. */
  readonly life?: LifeOptions
  /** Where the identity comes from, instead of from the key. */
  readonly identities?: IdentitySource
}

/** An agent in this process, with everything real; disposing it ends it and shows that it left nothing. */
export class RunningAgent implements AsyncDisposable {
  readonly agent: Agent
  readonly services: AgentServices
  readonly log: string[]
  /** What the journal would get. */
  readonly entries: JournalEntry[]
  readonly #base: string
  readonly #run: Promise<void>

  static async start(key: string, options: AgentOptions = {}): Promise<RunningAgent> {
    const base = mkdtempSync(path.join(tmpdir(), 'agent-'))
    const log: string[] = []
    const entries: JournalEntry[] = []
    const at = (level: LogLine['level']) => (fields: object, message: string) => {
      log.push(`${message} ${JSON.stringify(fields)}`)
      const plain = JSON.parse(JSON.stringify(fields)) as LogLine['fields']
      options.life?.logs?.add(logged({ time: new Date(), level, message, fields: plain }))
    }
    const record = (entry: JournalEntry): void => void entries.push(entry)
    const services: AgentServices = {
      engine,
      folder: await RuntimeFolder.open({ preferred: base, env: {} }),
      settings: {
        outputCapBytes: options.outputCapBytes ?? 10 * 1024 * 1024,
        killGraceMs: options.killGraceMs ?? 2000,
        maxDurationMs: options.maxDurationMs,
        onCap: options.onCap ?? 'continue',
        background: options.background ?? 'kill',
      },
      masking: {
        presidio: options.presidio,
        local: { replacement: { form: 'tag' }, refine: [] },
        compiled: new CompiledCache(),
      },
      ...(options.policy !== undefined && { policy: options.policy }),
      compiledGuardrails: new CompiledCache(),
      agentEnvironment: new AgentEnvironment(options.agentEnvironment ?? {}, key),
      secretStores: openSecretStores({
        env: options.agentEnvironment ?? {},
        skipVerify: false,
        findProxy: () => undefined,
        log: { warn: at('warn') },
      }),
      inherited: inheritedEnvironment({ PATH: process.env['PATH'], HOME: base }),
      cwd: base,
      slots: new Slots(options.slots ?? 100),
      programVersions: new ProgramVersions(),
      tails: new TailMemory(64 * 1024 * 1024),
      groups: undefined,
      redactions:
        options.redact === 'off'
          ? undefined
          : new Redactions(new SecretNames([]), { info: at('info'), warn: at('warn') }),
      oom: new OomWatch(options.oomCounters),
      ...(options.startedBefore && { started: new StartedSessions(record, options.startedBefore) }),
      record,
      log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    }
    const identities = options.identities ?? fixedIdentity(parseKey(key, 'HOOP_KEY'))
    return new RunningAgent(new Agent(identities, services, options.life), { services, log, entries, base })
  }

  private constructor(
    agent: Agent,
    { services, log, entries, base }: Pick<RunningAgent, 'services' | 'log' | 'entries'> & { base: string },
  ) {
    this.agent = agent
    this.services = services
    this.log = log
    this.entries = entries
    this.#base = base
    this.#run = agent.run()
  }

  async serving(): Promise<void> {
    await waitFor(() => this.agent.state.name === 'serving')
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

/** An identity that does not change. */
export function fixedIdentity(identity: Identity): IdentitySource {
  return { current: identity, refresh: () => identity, isRenewed: () => false }
}
