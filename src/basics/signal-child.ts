import type { ChildProcess } from 'node:child_process'

/**
 * Signals a child, if it has started. Use this instead of `child.kill`: for a child that could not be started, Node
 * signals process 0 (our own process group) or a random number until the child has reported its error (seen with Node
 * 20).
 * @returns false when there is no process to signal
 */
export function signalChild(child: ChildProcess, signal: NodeJS.Signals): boolean {
  return child.pid !== undefined && child.kill(signal)
}
