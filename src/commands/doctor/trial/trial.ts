import { once } from 'node:events'
import { loadEngine, type Engine } from '../../../runtime/engine.ts'
import { Failure, exitCodes } from '../../failure.ts'
import { tryCleanup } from './cleanup.ts'
import { tryCommand, tryTerminal, canReadEnvironment } from './run.ts'
/** What can be asked, by name. Answers go to the parent as JSON over the channel. */
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
 * `runbook-agent doctor-trial`, started by `doctor`: runs commands in a process of its own, guarded like an agent. If
 * doctor itself were a subreaper, it might adopt processes of others: an exec may have given it children.
 */
export async function trialCommand(): Promise<void> {
  if (process.send === undefined) throw new Failure('doctor-trial is for doctor alone', exitCodes.usage)
  // Ctrl-C reaches this process, too. It ends with its channel, after its command.
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

/** @returns why processes that leave their session cannot be followed */
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

/** Answers the parent, if it still listens: it may have given up. */
function tell(message: TrialAnswer): void {
  if (process.connected) process.send?.(message)
}
