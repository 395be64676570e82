import type { Engine } from '../../../runtime/engine.ts'
import { runTrial } from './run.ts'

/** Whether a command can read the environment with which this process was started, guarded like an agent. */
export async function canReadEnvironment(engine: Engine, signal: AbortSignal): Promise<boolean | undefined> {
  const { code, failure } = await runTrial(
    engine,
    ['sh', '-c', `: < /proc/${process.pid}/environ`],
    {},
    signal,
  )
  return failure === undefined ? code === 0 : undefined
}
