import { once } from 'node:events'
import { loadEngine, type Engine } from '../../../runtime/engine.ts'
import { Failure, exitCodes } from '../../failure.ts'
import { tryCleanup } from './cleanup.ts'
import { tryCommand, tryTerminal, canReadEnvironment } from './run.ts'
/** What can be asked for, by name; the answers go over the channel to the parent as JSON. */
const trials = {
  command: tryCommand,
  terminal: tryTerminal,
  cleanup: tryCleanup,
  environ: canReadEnvironment,
} as const

export type TrialName = keyof typeof trials
export type TrialResult<Name extends TrialName> = Awaited<ReturnType<(typeof trials)[Name]>>
export type TrialAnswer = { readonly result: unknown } | { readonly error: string }

/**
 * `runbook-agent doctor-trial`, started by `doctor`: commands run in a process of their own, guarded like an agent.
 * What doctor itself would adopt as a subreaper could be somebody else's: it may have been given children by an exec.
 */
export async function trialCommand(): Promise<void> {
  if (process.send === undefined) throw new Failure('doctor-trial is for doctor alone', exitCodes.usage)
  // Ctrl-C reaches this process as well; the end of the channel ends it, after its command.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
  const life = new AbortController()
  const engine = await loadEngine()
  const guarded = guard(engine)
  let last: Promise<void> = Promise.resolve()
  process.on('message', (name: TrialName) => {
    last = answer(name, engine, guarded, life.signal)
  })
  await once(process, 'disconnect')
  life.abort()
  await last
}

/** @returns why what leaves its session cannot be followed */
function guard(engine: Engine): string | undefined {
  try {
    engine.guard()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

async function answer(
  name: TrialName,
  engine: Engine,
  guarded: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (guarded !== undefined && name === 'cleanup')
      throw new Error(`what leaves its session cannot be followed on this system: ${guarded}`)
    tell({ result: await trials[name](engine, signal) })
  } catch (error) {
    tell({ error: (error as Error).message })
  }
}

/** Nobody listens any more when the parent has lost its patience. */
function tell(message: TrialAnswer): void {
  if (process.connected) process.send?.(message)
}
