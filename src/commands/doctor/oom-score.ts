import { readFileSync } from 'node:fs'
import type { Engine } from '../../runtime/engine.ts'
import type { Finding } from './finding.ts'
import { ok, skipped, warning } from './finding.ts'

/** What the runtime raises commands to, unless the agent itself has as much. */
const OF_COMMANDS = 500

const ADVICE =
  'When memory runs out the agent may go first, with all its commands: start it with a lower one (systemd: OOMScoreAdjust=; Kubernetes: memory requests equal to the limits)'

/** Whom the kernel would end first when memory runs out: the agent, or one of its commands. */
export function checkOomScore(engine: Engine['name'], proc = '/proc/self'): Finding {
  const own = score(`${proc}/oom_score_adj`)
  if (own === undefined) return skipped('this system has no oom_score_adj')
  if (engine === 'portable')
    return warning(`${own} here, and for commands: the portable engine does not raise it`, ADVICE)
  if (own >= OF_COMMANDS) return warning(`${own} here, and no more for commands`, ADVICE)
  return ok(`${own} here, ${OF_COMMANDS} for commands: they go first when memory runs out`)
}

function score(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
