/** Largest template in bytes. The runbook files of the gateway have the same limit (protocol.md 9.2). */
export const MAX_TEMPLATE_BYTES = 1_000_000

/** Levels of blocks and parentheses inside each other. Reading and rendering recurse once per level. */
export const MAX_DEPTH = 200

/** Largest rendered text and largest single value in bytes; what goes to the agent has to fit into 17 MiB. */
export const MAX_RENDERED_BYTES = 16 * 1024 * 1024

/**
 * Work one rendering may do, in bytes handled. A template of a few lines can ask for unbounded work (a range over
 * a huge number, a variable doubled in a loop); an honest one with 16 MiB of output stays far below.
 */
export const MAX_WORK = 64 * 1024 * 1024

/** Work charged for each node that is evaluated, so that empty loops end as well (4 million steps). */
export const WORK_PER_NODE = 16

/** Work charged per instruction of a compiled pattern; compiling costs about 4 microseconds for each. */
export const WORK_PER_PATTERN_INSTRUCTION = 128

/** Largest pattern in bytes. Compiling one of this size can take a second, and a longer one is no input check. */
export const MAX_PATTERN_BYTES = 8 * 1024
