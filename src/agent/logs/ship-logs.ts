import { setTimeout as delay } from 'node:timers/promises'
import { ConnectError } from '../../dial/connect-error.ts'
import type { PacketStream } from '../../dial/packet-stream.ts'
import { encodeAgentMessage } from '../../wire/messages/from-agent.ts'
import type { LogTail } from './log-tail.ts'

/** At an interval until the signal (protocol.md 3.7). A failure is not logged: that would be the next line. */
export async function shipLogs(
  tail: LogTail,
  stream: Pick<PacketStream, 'hasRoom' | 'send'>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  // Drops lines from before this stream.
  tail.take()
  for (;;) {
    await delay(everyMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    // When the stream is busy, the output of sessions goes first. The newest lines are kept meanwhile.
    const lines = stream.hasRoom ? tail.take() : []
    if (lines.length > 0 && !(await isSent(stream, lines))) return
  }
}

/** Sends one packet. @returns false when the stream has ended */
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
