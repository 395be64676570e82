import { randomUUID } from 'node:crypto'
import { oneLine } from '../../../basics/text/printable.ts'
import type { RestExecution } from '../../../client/running/execution-request.ts'
import type { Outcome } from '../../../client/running/outcome.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { askChoice, canAsk } from '../terminal/prompts.ts'
import { withReason } from './reason.ts'
import type { Target } from './target.ts'

/** `--first run`, and `first` of a request: runs the first runbook of a pair. */
const RUN_FIRST = 'run'

interface PairFlags {
  /** `run`, or the id of the session of the first runbook. */
  readonly first?: string
  readonly despiteFirst?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly wait?: boolean
}

/** Which runbooks of a pair one command runs. `both`: with a question between them. */
type Step =
  { readonly kind: 'alone' | 'second' } | { readonly kind: 'first' | 'both'; readonly first: string }

/**
 * The option is only sent if the gateway's list names the first runbook: hoop's gateway and older ones ignore it, and
 * would run the second one at once.
 * @throws Failure, exit code 64
 */
export function stepOf({ runbook }: Target, file: string, flags: PairFlags): Step {
  const { first: wish, despiteFirst = false, dryRun = false, json = false, wait = true } = flags
  const first = runbook?.first
  if (wish === undefined && despiteFirst)
    throw new Failure('--despite-first needs --first with the id of a session', exitCodes.usage)
  if (wish === undefined) {
    const asks = first !== undefined && canAsk() && !dryRun && !json && wait
    return asks ? { kind: 'both', first } : { kind: 'alone' }
  }
  if (dryRun) throw new Failure('--dry-run runs nothing: omit --first', exitCodes.usage)
  if (first === undefined)
    throw new Failure(
      oneLine(`${file} names no first runbook at its newest commit, or the gateway knows none: omit --first`),
      exitCodes.usage,
    )
  return wish === RUN_FIRST ? { kind: 'first', first } : { kind: 'second' }
}

type Ended = Outcome | { readonly leftWith: number }

interface PairWays {
  readonly send: (request: RestExecution) => Promise<Ended>
  /** Shows the end of the first run. Returns this program's exit code. */
  readonly show: (outcome: Outcome) => Promise<number>
  /** Lets the user confirm the run of the second runbook, if the settings require it. */
  readonly confirm: () => Promise<void>
}

/**
 * Runs the first runbook, shows its output, asks the user, and requests the second one. The gateway holds nothing
 * while the user thinks.
 * @throws Failure if the user does not continue
 */
export async function runPair(request: RestExecution, { send, show, confirm }: PairWays): Promise<Ended> {
  const correlationId = `runbook-agent-${randomUUID()}`
  const first = await send({ ...request, first: RUN_FIRST, correlationId })
  if ('leftWith' in first) return first
  const hasFailed = (await show(first)) !== 0
  await askToContinue(request, first.sessionId, hasFailed)
  await confirm()
  return withReason({ ...request, first: first.sessionId, despiteFirst: hasFailed }, send)
}

async function askToContinue(
  { file, connection }: RestExecution,
  id: string,
  hasFailed: boolean,
): Promise<void> {
  const asked = hasFailed
    ? `The first run has failed. Continue in spite of it with ${file} on ${connection}?`
    : `Continue with ${file} on ${connection}?`
  const choices = [
    { name: 'no', value: 'no' },
    { name: 'yes', value: 'yes' },
  ]
  if ((await askChoice(oneLine(asked), choices, 'no')) === 'yes') return
  throw new Failure(
    oneLine(`${file} was not requested. To continue later: ${wayOn(id, hasFailed)}`),
    exitCodes.interrupted,
  )
}

/** Names what a request runs, for messages. */
export function whatRuns({ file, first }: RestExecution): string {
  return first === RUN_FIRST ? `the first runbook of ${file}` : file
}

/** How to request the second runbook. The values are not repeated, because they may be secrets. */
export function wayOn(id: string, hasFailed: boolean): string {
  return oneLine(`the same command with --first ${id}${hasFailed ? ' --despite-first' : ''}`)
}
