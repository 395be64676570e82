import { readdirSync, readFileSync } from 'node:fs'
import type { AgentSettings } from '../../config.ts'
import type { Finding } from './finding.ts'
import { ok, skipped, warning } from './finding.ts'

/** The read ends of its two pipes, or both ends of its terminal, and the file that holds the tail of its output. */
const PER_EXECUTION = 3
/** An execution that starts has its input and the other ends of its pipes open as well; they start one at a time. */
const FOR_A_START = 3
/** The agent's own, seen at about 30: the event loop, the gateway, the journal, the log, the clients of `http`. */
const OF_THE_AGENT = 64

/** Whether the limit of open files allows as many executions as `limits.sessions` does. */
export function checkOpenFiles(
  { limitsSessions }: Pick<AgentSettings, 'limitsSessions'>,
  proc = '/proc/self',
): Finding {
  const limit = openFileLimit(`${proc}/limits`)
  if (limit === undefined) return skipped('this system does not tell its limit of open files')
  const needed = limitsSessions * PER_EXECUTION + FOR_A_START + OF_THE_AGENT
  const found = `${limit} allowed, ${needed} needed for ${limitsSessions} sessions, ${readdirSync(`${proc}/fd`).length} open here`
  if (limit >= needed) return ok(found)
  return warning(
    found,
    `Raise it to ${needed} (systemd: LimitNOFILE=, else ulimit -n), or lower limits.sessions to ${Math.max(1, Math.floor((limit - FOR_A_START - OF_THE_AGENT) / PER_EXECUTION))}`,
  )
}

/** The soft one; Node raises it to the hard one when it starts, in the agent as well. */
function openFileLimit(file: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(read(file)) ?? []
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Infinity : Number(soft)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
