import type { Engine } from '../../../runtime/engine.ts'
import type { Finding } from '../finding.ts'
import { broken, ok, warning } from '../finding.ts'
import { runTrial } from './run.ts'

const SCRIPT = 'cat /dev/stdin && echo to-stderr > /dev/stderr && echo to-stdout > /dev/stdout && exit 7'

/** A command as runbooks have them: its exit code, its input, and its outputs opened by their names. */
export async function tryCommand(engine: Engine, signal: AbortSignal): Promise<Finding> {
  const { code, stdout, stderr, failure } = await runTrial(
    engine,
    ['sh', '-c', SCRIPT],
    { stdin: 'in\n' },
    signal,
  )
  if (failure !== undefined)
    return broken(
      `sh cannot be started: ${failure}`,
      'Commands of runbooks need it: check the PATH of the agent',
    )
  if (code === 7 && stdout === 'in\nto-stdout\n' && stderr === 'to-stderr\n')
    return ok('sh runs: exit code, /dev/stdin, /dev/stdout and /dev/stderr are right')
  const found = `sh runs, but its exit code is ${code} instead of 7: ${lastLine(stderr)}`
  if (engine.name === 'portable')
    return warning(found, 'With the portable engine scripts cannot open /dev/stdin, /dev/stdout, /dev/stderr')
  return broken(found, 'Is /dev mounted, and /proc? Scripts open /dev/stdin and its like through them')
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? ''
}
