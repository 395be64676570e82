/** Commands that may run at once. A gateway makes two hooks for each session, and they are short. */
export const MAX_SYSTEM_REQUESTS = 100

/** Running, or waiting for REPLY_AFTER_MS. More get no answer, and the gateway's wait times out. */
export const MAX_HELD = 1000

/**
 * Shortest time from a request to its answer, milliseconds. The gateway begins to wait for the answer only after it
 * has sent the request, and has no buffer for it (protocol.md 3.6). An answer within microseconds would be lost, and
 * the request would time out.
 */
export const REPLY_AFTER_MS = 50

/** Time limit of a hook. The gateway waits 15 s for hooks of a session and 60 s for those of its event routing. */
export const HOOK_MS = 60_000
/** Bytes of a hook's output that are kept. */
export const HOOK_OUTPUT_BYTES = 4096

/** Time limit of a bare exec; the gateway has the same. */
export const BARE_EXEC_MS = 5 * 60_000
/** Bytes of output. As JSON it may grow sixfold, and a packet of more than 17 MiB would end the stream. */
export const BARE_EXEC_OUTPUT_BYTES = 1024 * 1024

/**
 * Characters of answers that wait for a gateway that takes nothing. Further answers are not sent: the gateway's wait
 * for them times out, as it would after so many characters.
 */
export const MAX_UNSENT_LENGTH = 16 * 1024 * 1024
