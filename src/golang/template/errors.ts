/** When a template was refused: while it was read, because parameters are absent, or while it was rendered. */
type TemplateStage = 'parse' | 'parameters' | 'render'

/**
 * A template that cannot be used, for its author or for whoever gave the parameters. Ends in the REST API, where
 * the message is answered as it is with status 400; where Go has an error for the same fault the wording is Go's.
 * Names and the author's own text may appear in it. A parameter's value does not, unless the template itself makes
 * it the message of `required` or the expression of `pattern`.
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
