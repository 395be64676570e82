import { setTimeout as delay } from 'node:timers/promises'
import { ConnectError } from '../../dial/connect-error.ts'
import type { PacketStream } from '../../dial/packet-stream.ts'
import { encodeAgentMessage } from '../../wire/messages/from-agent.ts'
import type { LogTail } from './log-tail.ts'

/**
 * Sends new log lines every so many milliseconds, until the signal (protocol.md 3.7). Logs nothing when that fails: the
 * line would be the next to be sent.
 */
export async function shipLogs(
  tail: LogTail,
  stream: Pick<PacketStream, 'hasRoom' | 'send'>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  // Drops lines from the time without a stream.
  tail.take()
  for (;;) {
    await delay(everyMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    // With a slow gateway the output of sessions goes first. Meanwhile the newest lines are kept.
    const lines = stream.hasRoom ? tail.take() : []
    if (lines.length > 0 && !(await isSent(stream, lines))) return
  }
}

/** False when the stream has ended. */
async function isSent(
  stream: Pick<PacketStream, 'send'>,
  lines: ReturnType<LogTail['take']>,
): Promise<boolean> {
  try {
    await stream.send(encodeAgentMessage({ kind: 'logs', lines }))
    return true
  } catch (error) {
    if (error instanceof ConnectError) return false
    throw error
  }
}
