import type { ExitStatus } from '../../runtime/exit-status.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { Closing, TerminationReason } from './closing.ts'
import type { JournalEntry } from '../journal/entries.ts'
import { NO_BYTES, type OutputBytes } from '../output/output-forwarder.ts'

/** How a session ended, for its user and for the books. */
export interface Ended extends Closing {
  /** The command's own end, or why there was none. */
  readonly outcome: ExitStatus['kind'] | 'not-started' | 'refused'
  readonly signal?: NodeJS.Signals
  /** From the command's start, milliseconds. */
  readonly durationMs: number
  readonly bytes: OutputBytes
  readonly processesEnded: number
}

/** The end as an entry of the books. `closeSent`: whether the gateway was told. */
export function endedEntry(
  sid: SessionId,
  { exitCode, outcome, signal, durationMs, bytes, processesEnded }: Ended,
  { reason, closeSent }: { readonly reason: TerminationReason | undefined; readonly closeSent: boolean },
): Extract<JournalEntry, { event: 'ended' }> {
  return {
    event: 'ended',
    sid,
    outcome,
    exitCode,
    ...(signal !== undefined && { signal }),
    ...(reason !== undefined && { reason }),
    durationMs,
    bytesRead: bytes.read,
    bytesSent: bytes.sent,
    bytesLeftOut: bytes.leftOut,
    bytesRedacted: bytes.redacted,
    processesEnded,
    closeSent,
  }
}

/** The end of a session whose command never ran. */
export function notRun(closing: Closing, outcome: 'not-started' | 'refused' | 'failed'): Ended {
  return { ...closing, outcome, durationMs: 0, bytes: NO_BYTES, processesEnded: 0 }
}
