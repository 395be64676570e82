import type { ChildProcess } from 'node:child_process'

/**
 * Signals a child, if there is one. Of a child that could not be started, Node sends the signal to process 0, which is
 * our own process group, or to a number that happens to lie in its memory, until the child has told its error (seen
 * with Node 20).
 * @returns false when there is nobody to get it
 */
export function signalChild(child: ChildProcess, signal: NodeJS.Signals): boolean {
  return child.pid !== undefined && child.kill(signal)
}
