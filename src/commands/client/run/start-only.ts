import { oneLine } from '../../../basics/text/one-line.ts'
import { printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import type { RestExecution } from '../../../client/running/execution-request.ts'
import { executeByRest } from '../../../client/running/execution.ts'
import type { ExecutionSight } from '../../../client/running/follow.ts'
import type { Outcome } from '../../../client/running/outcome.ts'
import type { SessionOutput } from '../stream/session-output.ts'
import type { EndingFlags } from './ending.ts'

/**
 * `run --no-wait`: prints the session's id as soon as the gateway has answered, whether it runs or waits for approval.
 * @returns the outcome instead when it has ended by then; undefined when it has not
 */
export async function startOnly(
  account: Account,
  request: RestExecution,
  { json, quiet }: EndingFlags,
  output: SessionOutput,
): Promise<Outcome | undefined> {
  const leaving = new AbortController()
  const sights = executeByRest(account, request, { signal: leaving.signal, isLive: true })
  for (;;) {
    const { done, value: sight } = await sights.next()
    if (done === true) return sight
    if (sight.kind === 'warning') await output.say(`runbook-agent: ${oneLine(sight.text)}`)
    if (sight.kind !== 'review' && sight.kind !== 'going-on') continue
    leaving.abort()
    const url = sight.kind === 'review' ? sight.url : undefined
    const started = { session_id: sight.id, has_review: url !== undefined, url }
    await output.stdout.write(Buffer.from(json ? `${printableJson(started)}\n` : `${oneLine(sight.id)}\n`))
    if (!json && !quiet) await output.say(await waysOn(account, sight))
    return undefined
  }
}

type Started = Extract<ExecutionSight, { readonly kind: 'review' | 'going-on' }>

async function waysOn(account: Account, sight: Started): Promise<string> {
  const id = oneLine(sight.id)
  if (sight.kind === 'going-on') {
    const when = sight.lock === undefined ? '' : ' as soon as it has the lock'
    return `runbook-agent: session ${id} runs${when}. To see it: runbook-agent sessions follow ${id}`
  }
  const { awaitedReviewers, waitingText, waysBack } = await import('../reviews/awaited.ts')
  const waiting = waitingText(await awaitedReviewers(account, sight.id), sight.url)
  return `runbook-agent: session ${id} is ${waiting}\n${waysBack(sight.id)}`
}
