import type { CommandServices, SessionServices } from '../../../agent/running/services.ts'
import { ClientVersions } from '../../../agent/opening/client-versions.ts'
import { findProxy } from '../../../basics/net/proxy.ts'
import { AgentEnvironment } from '../../../envvars/entries/agent-environment.ts'
import { RuntimeFolderError } from '../../../envvars/errors.ts'
import { inheritedEnvironment } from '../../../envvars/entries/inherited.ts'
import { openSecretStores } from '../../../envvars/secrets/open-stores.ts'
import { RuntimeFolder } from '../../../envvars/folder/runtime-folder.ts'
import { CompiledCache } from '../../../policy/compiled-cache.ts'
import { OomWatch } from '../../../runtime/cgroups/oom-watch.ts'
import { createLogger } from '../../../log.ts'
import { Failure } from '../../failure.ts'
import { logSettings } from '../../log-settings.ts'
import { COMMANDS_UMASK, openEngine, workingFolder } from '../../start/services.ts'
import { sweep } from '../../start/sweep.ts'

/** The agent's defaults. */
const SETTINGS: CommandServices['settings'] = { killGraceMs: 10_000, background: 'kill' }

/** The services for a command in this process and for its checks. */
export type LocalServices = CommandServices &
  Pick<SessionServices, 'agentEnvironment' | 'secretStores' | 'embedded' | 'masking' | 'compiledGuardrails'>

/** Opens the services as an agent has them. @throws Failure when there is no safe place for secret files */
export async function openLocalServices(): Promise<LocalServices & AsyncDisposable> {
  const { engine } = await openEngine()
  process.umask(COMMANDS_UMASK)
  const folder = await openFolder()
  // Logs errors only: the end of the session tells a refusal.
  const log = await createLogger(logSettings('error'))
  // Cleans up after earlier runs that were killed.
  await sweep({ folder, engine, graceMs: SETTINGS.killGraceMs, log })
  return {
    engine,
    folder,
    settings: SETTINGS,
    agentEnvironment: new AgentEnvironment(process.env, ''),
    secretStores: openSecretStores({
      env: process.env,
      skipVerify: process.env['HOOP_TLS_SKIP_VERIFY'] === 'true',
      findProxy: () => findProxy(process.env),
      log,
    }),
    embedded: false,
    masking: {
      presidio: undefined,
      local: { replacement: { form: 'tag' }, refine: [] },
      compiled: new CompiledCache(),
    },
    compiledGuardrails: new CompiledCache(),
    inherited: inheritedEnvironment(process.env),
    cwd: workingFolder(),
    clientVersions: new ClientVersions(),
    oom: new OomWatch(),
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
