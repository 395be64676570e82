import { Agent } from '../../agent/agent.ts'
import { MetGateways } from '../../agent/connection/met-gateways.ts'
import { Counters } from '../../agent/counters.ts'
import { openJournal, type Journal } from '../../agent/journal/journal.ts'
import { LogTail } from '../../agent/logs.ts'
import type { AgentServices } from '../../agent/running/services.ts'
import type { AgentConfiguration } from '../../config.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import { createLogger, type ProgramLogger } from '../../log.ts'
import { dumpStatus } from '../../operations/status.ts'
import type { Engine } from '../../runtime/engine.ts'
import { Failure } from '../exit-codes.ts'
import { onOperatorSignals, onShutdownSignals } from '../long-running.ts'
import { version } from '../version.ts'
import { CurrentIdentity, CurrentPolicy } from './current.ts'
import { Operations, statusSource } from './operations.ts'
import { COMMANDS_UMASK, openEngine, openFolder, openServices, warnOfEngine, sweep } from './services.ts'
import { proxyFor, readIdentity, readSettings, type Flags } from './settings.ts'

/**
 * Interval of the cleanup after dead agents. An agent in another container counts as dead after an hour
 * without a sign of life.
 */
const SWEEP_MS = 60 * 60 * 1000

/** Serves one gateway until the process gets a signal. */
export async function startCommand(flags: Flags): Promise<void> {
  const opened = await openEngine()
  const settings = readSettings(flags)
  const identity = readIdentity(settings)
  const policy = await CurrentPolicy.read(settings)
  process.umask(COMMANDS_UMASK)
  const logs = new LogTail()
  logs.hide(identity.token)
  const log = await createLogger({
    level: settings.logLevel,
    encoding: settings.logEncoding,
    tap: (line) => logs.add(line),
  })
  for (const warning of settings.warnings) log.warn({}, warning)
  const folder = await openFolder(settings)
  try {
    warnOfEngine(opened, log)
    warnOfFolder(folder, log)
    const journal = openJournal({
      folder: settings.stateDir,
      maxBytes: settings.journalBytes,
      agent: identity.name,
      log,
    })
    const identities = new CurrentIdentity(flags, identity, settings, log)
    await serve({
      agent: identity.name,
      settings,
      folder,
      engine: opened.engine,
      journal,
      log,
      logs,
      identities,
      policy,
    })
  } catch (error) {
    // After a bug, the folder stays. By the folder's name, the next agent finds commands that still run.
    if (error instanceof Failure) await leave(folder, log)
    throw error
  }
  await leave(folder, log)
}

function warnOfFolder({ refused, path }: RuntimeFolder, log: ProgramLogger): void {
  if (refused !== undefined)
    log.warn({ reason: refused, folder: path }, 'secret files are written to another folder')
}

/** Removes the folder. A failure is only logged, because the next agent retries. */
async function leave(folder: RuntimeFolder, log: ProgramLogger): Promise<void> {
  await folder
    .close()
    .catch((error: unknown) =>
      log.error(
        { error: (error as Error).message },
        'cannot remove the folder of secret files; the next agent will retry',
      ),
    )
}

interface Parts {
  readonly agent: string
  readonly settings: AgentConfiguration
  readonly identities: CurrentIdentity
  readonly policy: CurrentPolicy
  readonly folder: RuntimeFolder
  readonly engine: Engine
  readonly journal: Journal
  readonly log: ProgramLogger
  readonly logs: LogTail
}

async function serve(parts: Parts): Promise<void> {
  const counters = new Counters()
  const { ownVariables } = parts.identities
  const services = await openServices({ ...parts, ownVariables, counters })
  try {
    await operate(parts, services, counters)
  } finally {
    services.groups?.[Symbol.dispose]()
    parts.journal.close()
  }
}

async function operate(parts: Parts, services: AgentServices, counters: Counters): Promise<void> {
  const { settings, identities, folder, engine, journal, log, logs } = parts
  const self = { version, gateway: identities.current.address, pid: process.pid }
  const agent = new Agent(identities, services, {
    version,
    onDisconnect: settings.onDisconnect,
    proxyFor: proxyFor(settings),
    met: new MetGateways(settings.stateDir, log),
    logs,
    stateChanged: () => operations.stateChanged(),
  })
  const status = statusSource({ agent, identities, services, counters, journal })
  await using operations = await Operations.open({ settings, folder: folder.path, status, log })
  onOperatorSignals({
    reload: () => void operations.reload(() => reload(parts, agent)),
    dump: () => dumpStatus(log, status),
  })
  // A failed cleanup after dead agents must not keep this agent from serving.
  const clean = () =>
    sweep({ folder, engine, graceMs: settings.killGraceMs, log }).catch((error: unknown) =>
      log.error(
        { error: (error as Error).message },
        'cannot clean up after dead agents; will retry in an hour',
      ),
    )
  await clean()
  const sweeping = setInterval(() => void clean(), SWEEP_MS)
  try {
    journal.record({ event: 'agent', state: 'started', ...self })
    await untilStopped(agent, settings)
  } finally {
    clearInterval(sweeping)
    dumpStatus(log, status)
    journal.record({ event: 'agent', state: 'stopped', ...self })
  }
}

/**
 * Runs until the agent has stopped. The first signal starts the drain, and a deadline ends the commands that
 * still run.
 */
async function untilStopped(agent: Agent, settings: AgentConfiguration): Promise<void> {
  let deadline: NodeJS.Timeout | undefined
  const drain = () => {
    agent.drain()
    deadline ??= setTimeout(() => agent.stop(), settings.drainMs)
  }
  onShutdownSignals({ drain, stop: () => agent.stop() })
  // A channel means that `dev` has started this process. If `dev` ends, nothing else would end this process.
  if (process.connected) process.once('disconnect', drain)
  await agent.run()
  // The listener keeps the channel open, and the open channel would keep this process alive until `dev` kills
  // it.
  process.off('disconnect', drain)
  clearTimeout(deadline)
}

/**
 * Applies log level and policy immediately. Credential and certificates apply at the next connection attempt.
 * A waiting agent makes this attempt immediately.
 */
async function reload({ identities, policy, log }: Parts, agent: Agent): Promise<void> {
  const settings = identities.reread()
  if (settings === undefined) return
  log.setLevel(settings.logLevel)
  await policy.reread(settings, log)
  log.info({ gateway: identities.current.address, logLevel: settings.logLevel }, 'settings reloaded')
  agent.retry()
}
