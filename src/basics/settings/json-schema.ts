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

/** A setting as it is now. `value` is null when it has none. */
export interface PrintedSetting {
  readonly name: string
  /** The value as it is written; `<set>` for a secret. */
  readonly value: string | null
  readonly from: 'flag' | 'variable' | 'file' | 'default' | 'refused' | 'unset'
  /** The flag, the variable, or `path:line:column`; null for the last three. */
  readonly place: string | null
}

export interface PrintedSettings {
  /** The settings file that is looked for, whether it is there or not. */
  readonly file: string
  readonly settings: readonly PrintedSetting[]
}

/** A value of the file that may be shown: of a reference what is written, of a secret that it is set. */
export function shownValue({ writeOnly }: JsonSchema, text: string): string {
  return writeOnly === true && !/^(?:file|env):\/\//.test(text) ? '<set>' : text
}
