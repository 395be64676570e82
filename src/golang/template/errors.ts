/** The stage at which a template was refused. */
type TemplateStage = 'parse' | 'parameters' | 'render'

/**
 * A template that cannot be used. The author and the user see the message. The REST API answers with the
 * message and status 400. If Go has an error for the fault, the message is Go's. The message may contain
 * names and the author's own text. It contains no parameter's value, except in two places: the message of
 * `required` and the expression of `pattern`.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly stage: TemplateStage

  constructor(stage: TemplateStage, message: string) {
    super(message)
    this.stage = stage
  }
}

/** A function has failed. The message is a byte string. The caller adds place and `error calling NAME:`. */
export class FunctionFailure extends Error {
  override readonly name = 'FunctionFailure'
}

/** Maximum length in bytes, the same as for the gateway's runbook files (protocol.md 9.2). */
export const MAX_TEMPLATE_BYTES = 1_000_000

/** Maximum nesting of blocks and parentheses. Reading and rendering recurse once per level. */
export const MAX_TEMPLATE_DEPTH = 200

/** Maximum length of the rendered text and of a value: a message to the agent must fit into 17 MiB. */
export const MAX_RENDERED_BYTES = 16 * 1024 * 1024

/**
 * Maximum number of steps of one rendering. A rendering blocks all other users. Steps are counted instead of
 * time, so that a template ends the same way on every machine. 256 steps take about a microsecond. The
 * maximum takes a quarter of a second.
 */
export const MAX_WORK = 64 * 1024 * 1024

/** Steps for each statement, command, operand, field and loop turn. MAX_WORK allows 500,000 of them. */
export const WORK_PER_NODE = 128

/** Steps for each byte of arguments and result, if a function reads every character. */
export const WORK_PER_FORMATTED_BYTE = 32

/** Steps for each field of a map that a function reads as a whole. */
export const WORK_PER_FIELD = 512

/** Steps for each use of a pattern. */
export const WORK_PER_MATCH = 2048

/** Steps to compile a pattern: a fixed number, and more per byte, Unicode class (`\p`) and instruction. */
export const WORK_TO_COMPILE = {
  pattern: 16_384,
  byte: 1024,
  unicodeClass: 40_000,
  instruction: 4096,
} as const

/** Maximum number of tokens, because reading tokens costs time. A template of 100 lines has a few hundred. */
export const MAX_TOKENS = 100_000
