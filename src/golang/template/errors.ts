/** The stage at which a template was refused: reading, checking for absent parameters, or rendering. */
type TemplateStage = 'parse' | 'parameters' | 'render'

/**
 * A template that cannot be used. The message is for its author and for the user who gave the
 * parameters. The REST API answers with this message, unchanged, and status 400. Where Go has an
 * error for the same fault, the wording is Go's. The message may contain names and the author's own
 * text. The message contains a parameter's value only if the template uses this value as the
 * message of `required` or as the expression of `pattern`.
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
 * Error of a template function. The caller adds the place and `error calling NAME:`. The message is
 * a byte string.
 */
export class FunctionFailure extends Error {
  override readonly name = 'FunctionFailure'
}

/**
 * Maximum length of a template in bytes. The gateway's runbook files have the same limit
 * (protocol.md 9.2).
 */
export const MAX_TEMPLATE_BYTES = 1_000_000

/**
 * Maximum number of levels of nested blocks and parentheses. Reading and rendering recurse once per
 * level.
 */
export const MAX_TEMPLATE_DEPTH = 200

/**
 * Maximum length of the rendered text and of a value in bytes. A message to the agent must fit into
 * 17 MiB.
 */
export const MAX_RENDERED_BYTES = 16 * 1024 * 1024

/**
 * Maximum work of one rendering in steps. A rendering blocks all other users. Steps are counted
 * instead of time, so that a template ends the same way on every machine. 256 steps take about a
 * microsecond on one core, so the maximum takes about a quarter of a second.
 */
export const MAX_WORK = 64 * 1024 * 1024

/**
 * Steps for each evaluated statement, command, operand and field, and for each turn of a loop.
 * MAX_WORK allows half a million of these.
 */
export const WORK_PER_NODE = 128

/** Steps for each byte of the arguments and the result of a function that reads every character. */
export const WORK_PER_FORMATTED_BYTE = 32

/** Steps for each field of a value that is shown or compared as a whole. */
export const WORK_PER_FIELD = 512

/** Steps for each use of a pattern, with any value. */
export const WORK_PER_MATCH = 2048

/**
 * Cost of compiling a pattern, in steps: for the pattern itself, for each of its bytes, for each Unicode class
 * (`\p`), and for each instruction.
 */
export const WORK_TO_COMPILE = {
  pattern: 16_384,
  byte: 1024,
  unicodeClass: 40_000,
  instruction: 4096,
} as const

/**
 * Maximum number of tokens of a template, because reading tokens costs time. A template of a
 * hundred lines has a few hundred tokens.
 */
export const MAX_TOKENS = 100_000
