import { readFileSync, writeFileSync } from 'node:fs'

/**
 * From -1000 to 1000. When memory runs out, the kernel then ends a command, and not the agent with all of its commands.
 */
const COMMAND_SCORE = 500

const ownScore = readOwnScore()

/** Raises the score, never lowers it. If that fails, the command keeps the agent's score, like any other program. */
export function raiseOomScore(pid: number): void {
  if (ownScore >= COMMAND_SCORE) return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(COMMAND_SCORE))
  } catch {
    // The program changed its user, or no descriptor is left.
  }
}

function readOwnScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  } catch {
    return 0
  }
}
