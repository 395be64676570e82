import { readdirSync } from 'node:fs'
import type { AgentConfiguration } from '../../config.ts'
import {
  executionsWithin,
  FILES_PER_EXECUTION,
  openFileLimit,
  OTHER_FILES,
} from '../../config/session-limit.ts'
import type { Finding } from './finding.ts'
import { ok, skipped, warning } from './finding.ts'

/** Whether the limit of open files allows as many executions as `limits.sessions` does. */
export function checkOpenFiles(
  { limitsSessions }: Pick<AgentConfiguration, 'limitsSessions'>,
  proc = '/proc/self',
): Finding {
  const limit = openFileLimit(`${proc}/limits`)
  if (limit === undefined) return skipped('this system does not tell its limit of open files')
  const needed = limitsSessions * FILES_PER_EXECUTION + OTHER_FILES
  const found = `${limit} allowed, ${needed} needed for ${limitsSessions} sessions, ${readdirSync(`${proc}/fd`).length} open here`
  if (limit >= needed) return ok(found)
  return warning(
    found,
    `Raise it to ${needed} (systemd: LimitNOFILE=, else ulimit -n), or lower limits.sessions to ${executionsWithin(limit)}`,
  )
}
