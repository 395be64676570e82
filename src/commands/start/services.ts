import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import type { Counters } from '../../agent/counters.ts'
import type { Journal } from '../../agent/journal/journal.ts'
import { startedIn, StartedSessions } from '../../agent/journal/started-sessions.ts'
import type { JournalEntry } from '../../agent/journal/entries.ts'
import type { MaskingSettings } from '../../agent/masking/session-masking.ts'
import { ProgramVersions } from '../../agent/opening/client-escapes.ts'
import { Redactions } from '../../agent/output/redaction.ts'
import type { PolicySource } from '../../agent/policy/owner-policy.ts'
import type { AgentServices } from '../../agent/running/services.ts'
import { Slots } from '../../agent/running/services.ts'
import type { Logger } from '../../basics/logger.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import type { AgentConfiguration } from '../../config.ts'
import { AgentEnvironment } from '../../envvars/agent-environment.ts'
import { inheritedEnvironment } from '../../envvars/agent-environment.ts'
import { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import { openSecretStores } from '../../envvars/secrets/open-stores.ts'
import type { VaultSurroundings } from '../../envvars/secrets/vault/vault.ts'
import { CompiledCache } from '../../policy/compiled-cache.ts'
import { parseNameRule, SecretNames } from '../../policy/redaction/secret-names.ts'
import { ControlGroups } from '../../runtime/cgroups/control-groups.ts'
import { OomWatch } from '../../runtime/cgroups/oom-watch.ts'
import { loadEngine, type Engine } from '../../runtime/engine.ts'
import { TailMemory } from '../../runtime/output-tail.ts'
import { Failure } from '../exit-codes.ts'
import { collectHeap, IdleMemory } from './idle-memory.ts'

/**
 * The umask of commands. The umask of the agent's systemd unit may be stricter. The agent sets the mode of
 * its own files.
 */
export const COMMANDS_UMASK = 0o022

interface Parts {
  /** Name of this agent, empty if it has none. */
  readonly agent: string
  readonly settings: AgentConfiguration
  /** No connection may read these variables. */
  readonly ownVariables: ReadonlySet<string>
  readonly policy: PolicySource
  readonly folder: RuntimeFolder
  readonly engine: Engine
  readonly journal: Journal
  readonly counters: Counters
  readonly log: Logger
}

/**
 * The services that the agent's sessions share. The caller has to close `groups`.
 * @throws Failure if limits.memory or limits.processes cannot be enforced
 */
export async function openServices({
  agent,
  settings,
  ownVariables,
  policy,
  folder,
  engine,
  journal,
  counters,
  log,
}: Parts): Promise<AgentServices> {
  const record = (entry: JournalEntry) => {
    counters.count(entry)
    journal.record(entry)
  }
  // This line comes before openGroups, which moves the agent into a new group: OomWatch needs the present
  // group, with all executions.
  const shared = sharedServices({
    token: settings.key.value.reveal(),
    ownVariables,
    skipVerify: settings.tls.skipVerify,
    findProxy: () => settings.proxy,
    log,
  })
  return {
    ...shared,
    ...(agent !== '' && { agent }),
    engine,
    folder,
    settings: sessionSettings(settings),
    masking: maskingSettings(settings),
    policy,
    slots: new Slots(settings.limitsSessions, { changed: memoryFor(engine) }),
    tails: new TailMemory(settings.tailMemoryBytes),
    redactions: settings.redact === 'on' ? new Redactions(secretNames(settings.redactNames), log) : undefined,
    groups: await openGroups(settings, log),
    started: new StartedSessions(record, earlierSessions(settings, log)),
    record,
  }
}

interface SharedParts extends Omit<VaultSurroundings, 'env' | 'log'> {
  /** The agent's own token, which no connection may read; '' for none. */
  readonly token: string
  readonly ownVariables?: ReadonlySet<string>
  readonly log: Logger
}

/** Opens what commands need in an agent, and in `exec --local` as well. */
export function sharedServices({
  token,
  ownVariables,
  ...stores
}: SharedParts): Pick<
  AgentServices,
  | 'agentEnvironment'
  | 'compiledGuardrails'
  | 'cwd'
  | 'inherited'
  | 'log'
  | 'oom'
  | 'programVersions'
  | 'secretStores'
> {
  return {
    agentEnvironment: new AgentEnvironment(process.env, token, ownVariables),
    secretStores: openSecretStores({ ...stores, env: process.env }),
    compiledGuardrails: new CompiledCache(),
    programVersions: new ProgramVersions(),
    inherited: inheritedEnvironment(process.env),
    cwd: workingFolder(),
    oom: new OomWatch(),
    log: stores.log,
  }
}

/** Without a journal, only this process knows what it has started. */
function earlierSessions({ stateDir, journalBytes }: AgentConfiguration, log: Logger): readonly string[] {
  if (journalBytes === 0) return []
  try {
    return startedIn(stateDir)
  } catch (error) {
    log.warn(
      { error: (error as Error).message },
      'cannot read the journal: a session that was started before this start of the agent could run again',
    )
    return []
  }
}

/** Frees memory of this process when no commands run. */
function memoryFor(engine: Engine): (running: number) => void {
  const idle = new IdleMemory(() => {
    collectHeap()
    engine.giveBackMemory()
  })
  return (running) => {
    idle.running(running)
  }
}

/**
 * Returns the settings that sessions need. The credential is not among them, because sessions must not read
 * it.
 */
function sessionSettings(settings: AgentConfiguration): AgentServices['settings'] {
  const { outputCapBytes, onCap, killGraceMs, maxDurationMs, background } = settings
  return { outputCapBytes, onCap, killGraceMs, maxDurationMs, background }
}

function maskingSettings({ presidio, maskingForm, maskingRefine }: AgentConfiguration): MaskingSettings {
  const replacement =
    maskingForm === 'mask' ? ({ form: 'mask', character: '#' } as const) : { form: maskingForm }
  return { presidio, local: { replacement, refine: maskingRefine }, compiled: new CompiledCache() }
}

/** Reads rules that the check of the settings has already accepted. */
function secretNames(rules: readonly string[]): SecretNames {
  return new SecretNames(rules.map(parseNameRule).filter((rule) => rule !== undefined))
}

/**
 * Loads and guards the engine. This must be the agent's first step: before it, other processes of this user
 * can read the agent's environment. Afterwards the engine can end all processes that commands leave behind.
 */
export async function openEngine(): Promise<{
  readonly engine: Engine
  readonly guardFailed: Error | undefined
}> {
  const engine = await loadEngine()
  try {
    engine.guard()
    return { engine, guardFailed: undefined }
  } catch (error) {
    return { engine, guardFailed: error as Error }
  }
}

export function warnOfEngine(
  { engine, guardFailed }: Awaited<ReturnType<typeof openEngine>>,
  log: Logger,
): void {
  if (engine.name === 'portable')
    log.warn(
      { reason: engine.reason },
      'portable engine: scripts cannot open /dev/stdin, /dev/stdout, /dev/stderr',
    )
  if (engine.unmarked !== undefined)
    log.warn(
      { reason: engine.unmarked },
      'the engine cannot mark processes: while other commands run, a process that leaves its session and clears its environment can outlive its command',
    )
  if (guardFailed !== undefined)
    log.warn(
      { error: guardFailed.message },
      'processes that leave their session cannot be followed on this system',
    )
}

/** @throws Failure if no folder is safe for secret files */
export async function openFolder({
  runtimeDir: preferred,
}: Pick<AgentConfiguration, 'runtimeDir'>): Promise<RuntimeFolder> {
  try {
    return await RuntimeFolder.open({ preferred, env: process.env })
  } catch (error) {
    throw error instanceof SetUpError ? new Failure(error.message) : error
  }
}

/** @returns the home of the agent's user, or / if the home does not exist */
export function workingFolder(): string {
  const home = homedir()
  return statSync(home, { throwIfNoEntry: false })?.isDirectory() === true ? home : '/'
}

/**
 * Opens control groups if the group of this process is delegated.
 * @throws Failure if a limit is set but cannot be enforced
 */
async function openGroups(settings: AgentConfiguration, log: Logger): Promise<ControlGroups | undefined> {
  const limits = { memoryMaxBytes: settings.limitsMemoryBytes, pidsMax: settings.limitsProcesses }
  const limited = Object.values(limits).some((limit) => limit !== undefined)
  const groups = await ControlGroups.adopt({ ...limits, leftovers: settings.background })
  if (!(groups instanceof ControlGroups)) {
    if (limited) throw refusal(groups.reason)
    log.debug({ reason: groups.reason }, 'executions have no control groups')
    return undefined
  }
  if (groups.missing.length > 0 && limited) {
    groups[Symbol.dispose]()
    throw refusal(groups.missing.join('; '))
  }
  log.info({ folder: groups.folder, missing: groups.missing }, 'each execution has a control group')
  return groups
}

function refusal(reason: string): Failure {
  return new Failure(
    `limits.memory and limits.processes cannot be enforced, because they need a cgroup v2 that is delegated to the agent: ${reason}. Delegate a cgroup v2, or remove the limits`,
  )
}

interface Sweep {
  readonly folder: RuntimeFolder
  readonly engine: Engine
  readonly graceMs: number
  readonly log: Logger
}

/**
 * Cleans up after killed agents. Ends their commands before it removes their secret files, because a running
 * command may use these files.
 */
export async function sweep({ folder, engine, graceMs, log }: Sweep): Promise<void> {
  for (const instance of await folder.abandoned()) {
    const agent = { instance, marker: `RUNBOOK_AGENT_INSTANCE=${instance}` }
    const processes = await engine.endProcessesOfAgent(agent, graceMs)
    if (processes > 0) log.warn({ processes }, 'ended the commands of an agent that was killed')
  }
  const { sessions, errors } = await folder.sweep()
  if (sessions > 0) log.info({ sessions }, 'removed the secret files of agents that died')
  for (const error of errors)
    log.warn({ error: error.message }, 'cannot remove the secret files of a dead agent; will retry')
}
