import type { ChildProcess } from 'node:child_process'

/**
 * Signals a child, if there is one. When a child could not be started, Node signals process 0, which is our own process
 * group, or any number that is in its memory, until the child has reported its error (seen with Node 20).
 * @returns false when there is no process to signal
 */
export function signalChild(child: ChildProcess, signal: NodeJS.Signals): boolean {
  return child.pid !== undefined && child.kill(signal)
}
