import { Channel } from '../../../dial/channel.ts'
import type { Finding } from '../finding.ts'
import { broken, ok } from '../finding.ts'
import type { Way } from './way.ts'

const DEADLINE_MS = 4000

/** HealthCheck by the agent's own channel; it needs no credential, and no stream is opened. */
export async function checkHealth({ identity, proxy }: Way): Promise<Finding> {
  using channel = new Channel(identity, proxy)
  const first = await timed(channel)
  if (!first.isAnswered) return failure(first.ms, channel.stage)
  // The first one had to connect.
  const second = await timed(channel)
  if (!second.isAnswered) return failure(second.ms, channel.stage)
  return ok(`answered in ${second.ms.toFixed(1)} ms, in ${first.ms.toFixed(1)} ms with a new connection`)
}

async function timed(channel: Channel): Promise<{ readonly isAnswered: boolean; readonly ms: number }> {
  const from = performance.now()
  const isAnswered = (await channel.healthCheck(DEADLINE_MS)) === 'answered'
  return { isAnswered, ms: performance.now() - from }
}

function failure(ms: number, stage: string): Finding {
  // A timer may be early by a fraction of a millisecond.
  const found = ms >= DEADLINE_MS - 1 ? `no answer within ${DEADLINE_MS / 1000} s` : 'the connection failed'
  return broken(
    `${found} (${stage})`,
    'The agent would not get further either: look at the log of the gateway',
  )
}
