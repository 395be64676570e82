import { homedir } from 'node:os'
import { statSync } from 'node:fs'
import { Agent } from '../agent/agent.ts'
import { IdentityError, parseKey, type Identity } from '../agent/identity.ts'
import type { Logger } from '../basics/logger.ts'
import type { SessionServices } from '../agent/session-services.ts'
import { Slots } from '../agent/slots.ts'
import { isLoopback } from '../basics/loopback.ts'
import { ConfigError, loadAgentSettings, type AgentSettings } from '../config.ts'
import { RuntimeFolderError } from '../envvars/errors.ts'
import { inheritedEnvironment } from '../envvars/inherited.ts'
import { RuntimeFolder } from '../envvars/runtime-folder.ts'
import { createLogger } from '../log.ts'
import { MemoryBudget } from '../runtime/memory-budget.ts'
import { loadEngine, type Engine } from '../runtime/engine.ts'
import { Failure } from './failure.ts'
import { onShutdownSignals } from './signals.ts'

/** Tails of capped outputs, all sessions together: eight at their full size, or a hundred smaller ones. */
const TAILS_BYTES = 64 * 1024 * 1024
/** Of a dead agent in another container it takes an hour's silence to know that it is dead. */
const SWEEP_MS = 60 * 60 * 1000

/** `runbook-agent start`: serves one gateway until told to stop. */
export async function startCommand(
  flags: Readonly<Record<string, string | boolean | undefined>>,
): Promise<void> {
  const settings = readSettings(flags)
  const identity = readIdentity(settings)
  const log = await createLogger({ level: settings.logLevel, encoding: settings.logEncoding })
  for (const warning of settings.warnings) log.warn({}, warning)
  const folder = await openFolder(settings)
  const sweeping = setInterval(() => void sweep(folder, log), SWEEP_MS)
  try {
    await sweep(folder, log)
    await serve(new Agent(identity, await services(settings, folder, log)), settings)
  } finally {
    clearInterval(sweeping)
    await folder.close()
  }
}

/** First signal: drain, with a deadline after which what still runs is ended. */
async function serve(agent: Agent, settings: AgentSettings): Promise<void> {
  let deadline: NodeJS.Timeout | undefined
  const drain = () => {
    agent.drain()
    deadline ??= setTimeout(() => agent.stop(), settings.drainMs)
  }
  onShutdownSignals({ drain, stop: () => agent.stop() })
  // Started by `dev`: when that process is gone, however it went, nobody would end this one.
  if (process.connected) process.once('disconnect', drain)
  await agent.run()
  // A listener holds the channel open, and the channel the process: `dev` would have to kill it.
  process.off('disconnect', drain)
  clearTimeout(deadline)
}

async function services(
  settings: AgentSettings,
  folder: RuntimeFolder,
  log: Logger,
): Promise<SessionServices> {
  const engine = await loadEngine()
  guard(engine, log)
  if (engine.name === 'portable')
    log.warn(
      { reason: engine.reason },
      'portable engine: scripts cannot open /dev/stdin, /dev/stdout, /dev/stderr',
    )
  return {
    engine,
    folder,
    settings,
    inherited: inheritedEnvironment(process.env),
    cwd: workingFolder(),
    slots: new Slots(settings.limitsSessions),
    tails: new MemoryBudget(TAILS_BYTES),
    log,
  }
}

function guard(engine: Engine, log: Logger): void {
  try {
    engine.guard()
  } catch (error) {
    log.warn(
      { error: (error as Error).message },
      'processes that leave their session cannot be followed on this system',
    )
  }
}

/** Commands run in the agent user's home, or in / when there is none. */
function workingFolder(): string {
  const home = homedir()
  return statSync(home, { throwIfNoEntry: false })?.isDirectory() === true ? home : '/'
}

async function sweep(folder: RuntimeFolder, log: Logger): Promise<void> {
  const { sessions, errors } = await folder.sweep()
  if (sessions > 0) log.info({ sessions }, 'removed the secret files of agents that died')
  for (const error of errors)
    log.warn({ error: error.message }, 'secret files of a dead agent could not be removed')
}

function readSettings(flags: Readonly<Record<string, string | boolean | undefined>>): AgentSettings {
  try {
    return loadAgentSettings({ flags, env: process.env, stderrIsTty: process.stderr.isTTY })
  } catch (error) {
    throw error instanceof ConfigError ? new Failure(error.message) : error
  }
}

function readIdentity({ key, allowPlaintext }: AgentSettings): Identity {
  try {
    const identity = parseKey(key.value.reveal(), key.source)
    if (identity.tls || allowPlaintext || isLoopback(identity.host)) return identity
    throw new Failure(
      `${key.source}: a key over plaintext to ${identity.host} can be read on the way. Use grpcs://, or set allow-plaintext`,
    )
  } catch (error) {
    throw error instanceof IdentityError ? new Failure(error.message) : error
  }
}

async function openFolder(settings: AgentSettings): Promise<RuntimeFolder> {
  try {
    return await RuntimeFolder.open({ preferred: settings.runtimeDir, env: process.env })
  } catch (error) {
    throw error instanceof RuntimeFolderError ? new Failure(error.message) : error
  }
}
