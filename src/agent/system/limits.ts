/** Running at once: a gateway makes two hooks for each session, and they are short. */
export const MAX_SYSTEM_REQUESTS = 100

/** Running, or waiting for their answer to be due. More are left without one: the gateway's time runs out. */
export const MAX_HELD = 1000

/**
 * From the request to the earliest answer, milliseconds. The gateway takes an answer only while somebody waits for it,
 * on a channel without a buffer, and begins to wait after it has sent the request (protocol.md 3.6): an answer within
 * microseconds would be lost, and the request would time out.
 */
export const REPLY_AFTER_MS = 50

/** The gateway gives up on the hooks of a session after 15 s, on those of its event routing after 60 s. */
export const HOOK_MS = 60_000
/** Of a hook's output, bytes. */
export const HOOK_OUTPUT_BYTES = 4096

/** The gateway's own. */
export const BARE_EXEC_MS = 5 * 60_000
/** As JSON it may grow to six times as much, and a packet of more than 17 MiB would end the stream. */
export const BARE_EXEC_OUTPUT_BYTES = 1024 * 1024
