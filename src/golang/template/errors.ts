/** The stage at which a template was refused: reading, checking for absent parameters, or rendering. */
type TemplateStage = 'parse' | 'parameters' | 'render'

/**
 * A template that cannot be used. The message is for its author and for the user who gave the parameters. The
 * REST API answers with this message, unchanged, and status 400. Where Go has an error for the same fault,
 * the wording is Go's. Names and the author's own text may appear in the message. A parameter's value appears
 * only if the template itself makes it the message of `required` or the expression of `pattern`.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly stage: TemplateStage

  constructor(stage: TemplateStage, message: string) {
    super(message)
    this.stage = stage
  }
}

/**
 * Error of a template function: the call site adds the place and `error calling NAME:`. The message is bytes.
 */
export class FunctionFailure extends Error {
  override readonly name = 'FunctionFailure'
}

/** Largest template in bytes. The gateway's runbook files have the same limit (protocol.md 9.2). */
export const MAX_TEMPLATE_BYTES = 1_000_000

/** Limit of the levels of nested blocks and parentheses. Reading and rendering recurse once per level. */
export const MAX_TEMPLATE_DEPTH = 200

/** Largest rendered text and largest single value in bytes: a message to the agent has to fit into 17 MiB. */
export const MAX_RENDERED_BYTES = 16 * 1024 * 1024

/**
 * Limit for the work of one rendering, which blocks all other users. Counted in steps rather than timed, so
 * that a template ends the same way on every machine. 256 steps take about a microsecond on one core, all of
 * them about a quarter of a second.
 */
export const MAX_WORK = 64 * 1024 * 1024

/**
 * Steps for each evaluated statement, command, operand and field, and for each turn of a loop. The limit
 * allows half a million.
 */
export const WORK_PER_NODE = 128

/** Steps for each byte that goes through a function which looks at every character of it. */
export const WORK_PER_FORMATTED_BYTE = 32

/** Steps for each field of a value that is shown or compared as a whole. */
export const WORK_PER_FIELD = 512

/** Steps for each use of a pattern, with any value. */
export const WORK_PER_MATCH = 2048

/**
 * Steps for compiling a pattern: once, for each byte, for each class of Unicode (`\p`), and for each
 * instruction.
 */
export const WORK_TO_COMPILE = {
  pattern: 16_384,
  byte: 1024,
  unicodeClass: 40_000,
  instruction: 4096,
} as const

/**
 * Limit of the tokens of a template; a template of a hundred lines has a few hundred. Reading tokens also
 * costs time.
 */
export const MAX_TOKENS = 100_000
