import type { Logger } from '../../basics/logger.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import type { Engine } from '../../runtime/engine.ts'

export interface Sweep {
  readonly folder: RuntimeFolder
  readonly engine: Engine
  readonly graceMs: number
  readonly log: Logger
}

/** Ends the commands of killed agents, then removes their secret files: a command may use a file. */
export async function sweep({ folder, engine, graceMs, log }: Sweep): Promise<void> {
  for (const instance of await folder.abandoned()) {
    const agent = { instance, marker: `RUNBOOK_AGENT_INSTANCE=${instance}` }
    const processes = await engine.endProcessesOf(agent, graceMs)
    if (processes > 0) log.warn({ processes }, 'ended the commands of an agent that was killed')
  }
  const { sessions, errors } = await folder.sweep()
  if (sessions > 0) log.info({ sessions }, 'removed the secret files of agents that died')
  for (const error of errors)
    log.warn({ error: error.message }, 'secret files of a dead agent could not be removed')
}
