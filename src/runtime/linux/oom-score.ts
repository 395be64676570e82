import { readFileSync, writeFileSync } from 'node:fs'

/** Of -1000 to 1000. When memory runs out the kernel ends a command then, and not the agent with all of its commands. */
const COMMAND_SCORE = 500

const ownScore = readOwnScore()

/** Only ever raises it; where that fails the command keeps the agent's, which is what all programs do. */
export function raiseOomScore(pid: number): void {
  if (ownScore >= COMMAND_SCORE) return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(COMMAND_SCORE))
  } catch {
    // A program that changed its user, or no descriptor is left.
  }
}

function readOwnScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  } catch {
    return 0
  }
}
