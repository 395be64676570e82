/** The stage at which a template was refused. */
type TemplateStage = 'parse' | 'parameters' | 'render'

/**
 * A template that cannot be used. Its author and the user see the message; the REST API answers with it and
 * status 400. Where Go has an error for the fault, the wording is Go's. The message may contain names and the
 * author's own text. It contains a parameter's value only if that is the message of `required` or the
 * expression of `pattern`.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly stage: TemplateStage

  constructor(stage: TemplateStage, message: string) {
    super(message)
    this.stage = stage
  }
}

/** The caller adds the place and `error calling NAME:`. The message is a byte string. */
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
 * time, so that a template ends the same way on every machine. 256 steps take about a microsecond. The maximum
 * takes a quarter of a second.
 */
export const MAX_WORK = 64 * 1024 * 1024

/** Steps per evaluated statement, command, operand, field and loop turn; MAX_WORK allows half a million. */
export const WORK_PER_NODE = 128

/** Steps per byte of arguments and result, for functions that read every character. */
export const WORK_PER_FORMATTED_BYTE = 32

/** Steps per field of a value that is shown or compared as a whole. */
export const WORK_PER_FIELD = 512

/** Steps per use of a pattern. */
export const WORK_PER_MATCH = 2048

/** Steps to compile a pattern: for itself, each byte, each Unicode class (`\p`) and each instruction. */
export const WORK_TO_COMPILE = {
  pattern: 16_384,
  byte: 1024,
  unicodeClass: 40_000,
  instruction: 4096,
} as const

/** Maximum number of tokens, because reading them costs time. A hundred lines have a few hundred. */
export const MAX_TOKENS = 100_000
