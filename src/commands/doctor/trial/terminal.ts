import type { Engine } from '../../../runtime/engine.ts'
import type { Finding } from '../finding.ts'
import { broken, ok, warning } from '../finding.ts'
import { runTrial } from './run.ts'

const SCRIPT = 'test -t 0 && test -t 1 && test -t 2 && echo on-a-terminal'

/** A command on a terminal of its own, as clients that connect get them. */
export async function tryTerminal(engine: Engine, signal: AbortSignal): Promise<Finding> {
  if (engine.name === 'portable')
    return warning(
      'none: the portable engine has no terminals',
      'Clients cannot connect; runbooks are not affected',
    )
  const { stdout, failure } = await runTrial(engine, ['sh', '-c', SCRIPT], { onTerminal: true }, signal)
  if (failure === undefined && stdout.trim() === 'on-a-terminal')
    return ok('one can be opened, and a command runs on it')
  return broken(
    `none can be had: ${failure ?? 'the command does not see one'}`,
    'Clients cannot connect. Is /dev/pts mounted, and is there room (sysctl kernel.pty.max)?',
  )
}
