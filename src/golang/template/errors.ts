/** When a template was refused: while it was read, because parameters are absent, or while it was rendered. */
type TemplateStage = 'parse' | 'parameters' | 'render'

/**
 * A template that cannot be used. The message is for its author and for the user who gave the parameters: the REST API
 * answers it as it is, with status 400; where Go has an error for the same fault the wording is Go's. Names and the
 * author's own text may appear in it. A parameter's value does not, unless the template itself makes it the message of
 * `required` or the expression of `pattern`.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly stage: TemplateStage

  constructor(stage: TemplateStage, message: string) {
    super(message)
    this.stage = stage
  }
}

/** What a template function throws: the call site adds the place and `error calling NAME:`. The message is bytes. */
export class FunctionFailure extends Error {
  override readonly name = 'FunctionFailure'
}

/** Largest template in bytes. The runbook files of the gateway have the same limit (protocol.md 9.2). */
export const MAX_TEMPLATE_BYTES = 1_000_000

/** Levels of blocks and parentheses inside each other. Reading and rendering recurse once per level. */
export const MAX_TEMPLATE_DEPTH = 200

/** Largest rendered text and largest single value in bytes; what goes to the agent has to fit into 17 MiB. */
export const MAX_RENDERED_BYTES = 16 * 1024 * 1024

/**
 * Limit for the work of one rendering, which blocks everybody else. Counted in steps rather than timed, so that a
 * template ends the same way on every machine. 256 steps take about a microsecond on one core, all of them about a
 * quarter of a second.
 */
export const MAX_WORK = 64 * 1024 * 1024

/** For each statement, command, operand and field that is evaluated, and each turn of a loop: half a million. */
export const WORK_PER_NODE = 128

/** For each byte that goes through a function which looks at every character of it. */
export const WORK_PER_FORMATTED_BYTE = 32

/** For each field of a value that is shown or compared as a whole. */
export const WORK_PER_FIELD = 512

/** For each use of a pattern, whatever the value. */
export const WORK_PER_MATCH = 2048

/** For compiling a pattern: once, for each byte of it, for each class of Unicode in it (`\p`), for each instruction. */
export const WORK_TO_COMPILE = {
  pattern: 16_384,
  byte: 1024,
  unicodeClass: 40_000,
  instruction: 4096,
} as const

/** Tokens of a template; one of a hundred lines has a few hundred. Reading it is work as well. */
export const MAX_TOKENS = 100_000
