import type { SessionServices } from '../../../agent/session/session-services.ts'
import { ClientVersions } from '../../../agent/opening/client-versions.ts'
import { Slots } from '../../../agent/session/slots.ts'
import { AgentEnvironment } from '../../../envvars/entries/agent-environment.ts'
import { RuntimeFolderError } from '../../../envvars/errors.ts'
import { inheritedEnvironment } from '../../../envvars/entries/inherited.ts'
import { RuntimeFolder } from '../../../envvars/folder/runtime-folder.ts'
import { OomWatch } from '../../../runtime/linux/oom-watch.ts'
import { TailSpace } from '../../../runtime/output/tail-space.ts'
import { createLogger } from '../../../log.ts'
import { Failure } from '../../failure.ts'
import { logSettings } from '../../log-settings.ts'
import { COMMANDS_UMASK, openEngine, workingFolder } from '../../start/services.ts'
import { sweep } from '../../start/sweep.ts'

/** As the agent's settings are when nothing is set; what concerns captured output has no use here. */
const SETTINGS: SessionServices['settings'] = {
  outputCapBytes: 0,
  onCap: 'continue',
  killGraceMs: 10_000,
  maxDurationMs: undefined,
  background: 'kill',
  secretNames: undefined,
}

/**
 * What one session needs that runs in this process, as an agent would run it for a person.
 * @throws Failure when there is no safe place for secret files
 */
export async function openLocalServices(): Promise<SessionServices & AsyncDisposable> {
  const { engine } = await openEngine()
  process.umask(COMMANDS_UMASK)
  const folder = await openFolder()
  // Why a session is refused is its end's text; here the same would stand twice.
  const log = await createLogger(logSettings('error'))
  // Of one that was killed in the middle, whatever it was.
  await sweep({ folder, engine, graceMs: SETTINGS.killGraceMs, log })
  return {
    engine,
    folder,
    settings: SETTINGS,
    agentEnvironment: new AgentEnvironment(process.env, ''),
    embedded: false,
    inherited: inheritedEnvironment(process.env),
    cwd: workingFolder(),
    slots: new Slots(1),
    clientVersions: new ClientVersions(),
    tails: new TailSpace(0, undefined),
    groups: undefined,
    oom: new OomWatch(),
    record: () => undefined,
    log,
    [Symbol.asyncDispose]: () => folder.close(),
  }
}

async function openFolder(): Promise<RuntimeFolder> {
  const { RUNBOOK_AGENT_RUNTIME_DIR: preferred } = process.env
  try {
    return await RuntimeFolder.open({ preferred, env: process.env })
  } catch (error) {
    throw error instanceof RuntimeFolderError ? new Failure(error.message) : error
  }
}
