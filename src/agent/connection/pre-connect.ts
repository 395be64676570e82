import { setTimeout as delay } from 'node:timers/promises'
import type { Channel } from '../../dial/channel.ts'
import type { Identity } from './identity.ts'
import { authorization } from './introduction.ts'
import type { Timing } from './timing.ts'

/**
 * `mode=embedded`: asks every few seconds, on the same channel, whether a session waits for this agent (protocol.md
 * 2.5). Yields the gateway's reason for each "no"; it is often empty. Ends when a session waits, or at the signal.
 * @throws ConnectError when the gateway cannot be asked
 */
export async function* unwanted(
  channel: Channel,
  identity: Identity,
  { pollEveryMs, healthDeadlineMs }: Timing,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  while (!signal.aborted) {
    const from = performance.now()
    const { status, message } = await channel.preConnect(authorization(identity), healthDeadlineMs)
    if (status === 'CONNECT') return
    yield status === 'BACKOFF' ? message : `the gateway answers ${status}, which is not known`
    const restMs = Math.max(0, pollEveryMs - (performance.now() - from))
    await delay(restMs, undefined, { signal }).catch(() => undefined)
  }
}
