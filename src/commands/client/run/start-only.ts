import { oneLine } from '../../../basics/text/one-line.ts'
import { printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import type { RestExecution } from '../../../client/running/execution-request.ts'
import { executeByRest } from '../../../client/running/execution.ts'
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
    if (!json && !quiet) await output.say(await waysOn(account, sight.id, url))
    return undefined
  }
}

/** @param reviewUrl where it waits for approval; undefined when it runs */
async function waysOn(account: Account, session: string, reviewUrl: string | undefined): Promise<string> {
  const id = oneLine(session)
  if (reviewUrl === undefined)
    return `runbook-agent: session ${id} runs. To see it: runbook-agent sessions follow ${id}`
  const { awaitedReviewers, waitingText, waysBack } = await import('../reviews/awaited.ts')
  const waiting = waitingText(await awaitedReviewers(account, session), reviewUrl)
  return `runbook-agent: session ${id} is ${waiting}\n${waysBack(session)}`
}
