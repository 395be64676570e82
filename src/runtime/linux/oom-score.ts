import { readFileSync, writeFileSync } from 'node:fs'

/** From -1000 to 1000. Without memory, the kernel ends a command rather than the agent with all of them. */
const COMMAND_SCORE = 500

const ownScore = readOwnScore()

/** Raises the score, never lowers it. If that fails, the command keeps the agent's score, like any other program. */
export function raiseOomScore(pid: number): void {
  if (ownScore >= COMMAND_SCORE) return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(COMMAND_SCORE))
  } catch {
    // The program has changed its user, or no descriptor is left.
  }
}

function readOwnScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  } catch {
    return 0
  }
}
