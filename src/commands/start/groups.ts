import type { Logger } from '../../basics/logger.ts'
import type { AgentConfiguration } from '../../config.ts'
import { ControlGroups } from '../../runtime/linux/cgroup.ts'
import { Failure } from '../failure.ts'

/**
 * A control group for each execution, where the agent's own is delegated to it.
 * @throws Failure when a limit is set that cannot be kept: it would be no limit
 */
export async function openGroups(
  settings: AgentConfiguration,
  log: Logger,
): Promise<ControlGroups | undefined> {
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
    `limits.memory and limits.processes need a cgroup v2 that is delegated to the agent: ${reason}. Delegate one, or remove the limits`,
  )
}
