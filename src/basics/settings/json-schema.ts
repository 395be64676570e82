/** The part of JSON Schema that settings need. Draft 7, which editors know best. */
export interface JsonSchema {
  readonly type?: readonly string[]
  readonly description?: string
  readonly default?: string | boolean | readonly unknown[] | Readonly<Record<string, unknown>>
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly propertyNames?: JsonSchema
  readonly additionalProperties?: JsonSchema | false
  /** A secret: it is never shown. */
  readonly writeOnly?: true
}

// The program reads every scalar as the text that is in the file. An editor reads `5432` as a number and `true` as a
// boolean, so all three are allowed wherever a text is. No schema may refuse what the program takes.

export function textJson(pattern?: RegExp): JsonSchema {
  return { type: ['string', 'number', 'boolean'], ...(pattern ? { pattern: pattern.source } : {}) }
}

/** One of these words, in any case. Editors suggest them as they are here. */
export function wordsJson(words: readonly string[]): JsonSchema {
  const inAnyCase = (word: string): string =>
    word.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)
  return {
    anyOf: [
      { type: ['string'], enum: words },
      { type: ['string'], pattern: `^(?:${words.map(inAnyCase).join('|')})$` },
      ...(words.includes('true') ? [{ type: ['boolean'] }] : []),
    ],
  }
}

/** @param text as it would be written in the file */
export function defaultJson(text: JsonSchema['default']): Pick<JsonSchema, 'default'> {
  if (text === undefined) return {}
  return { default: text === 'true' || text === 'false' ? text === 'true' : text }
}

/** A setting that may be left empty. */
export function orNull({ type, anyOf, ...rest }: JsonSchema): JsonSchema {
  return {
    ...rest,
    ...(type === undefined ? {} : { type: [...type, 'null'] }),
    ...(anyOf === undefined ? {} : { anyOf: [...anyOf, { type: ['null'] }] }),
  }
}

/** The schema of a whole file, which may be empty. */
export function documentJson(title: string, file: JsonSchema): object {
  return { $schema: 'http://json-schema.org/draft-07/schema#', title, ...orNull(file) }
}
