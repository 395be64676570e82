/** The part of JSON Schema that settings need. Draft 7 has the best support in editors. */
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
  /** Marks a secret, which is never shown. */
  readonly writeOnly?: true
}

// An editor reads `5432` as a number and `true` as a boolean, but the program reads the text in the file. So
// wherever a text is allowed, the schema also allows numbers and booleans. A schema must not refuse a value
// that the program accepts.

export function textJson(pattern?: RegExp): JsonSchema {
  return { type: ['string', 'number', 'boolean'], ...(pattern ? { pattern: pattern.source } : {}) }
}

/** Accepts the words in upper or lower case. Editors suggest the words as given. */
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

/** Returns the schema's default. `text` is the default as a user would write it in the settings file. */
export function defaultJson(text: JsonSchema['default']): Pick<JsonSchema, 'default'> {
  if (text === undefined) return {}
  return { default: text === 'true' || text === 'false' ? text === 'true' : text }
}

/** Also accepts an empty setting. */
export function orNull({ type, anyOf, ...rest }: JsonSchema): JsonSchema {
  return {
    ...rest,
    ...(type === undefined ? {} : { type: [...type, 'null'] }),
    ...(anyOf === undefined ? {} : { anyOf: [...anyOf, { type: ['null'] }] }),
  }
}

/** The file may be empty. */
export function documentJson(title: string, file: JsonSchema): object {
  return { $schema: 'http://json-schema.org/draft-07/schema#', title, ...orNull(file) }
}

/** `value` is null when the setting has no value. */
export interface PrintedSetting {
  readonly name: string
  /** The value as written in its source; `<set>` for a secret. */
  readonly value: string | null
  readonly from: 'flag' | 'variable' | 'file' | 'default' | 'refused' | 'unset'
  /** The flag, the variable, or `path:line:column`. Null if `from` is `default`, `refused` or `unset`. */
  readonly place: string | null
}

export interface PrintedSettings {
  /** The path where the settings file is expected, even if there is no file. */
  readonly file: string
  readonly settings: readonly PrintedSetting[]
}

/**
 * Returns `<set>` for a secret, otherwise the value. A reference (`file://`, `env://`) is shown even for a
 * secret.
 */
export function shownValue({ writeOnly }: JsonSchema, text: string): string {
  return writeOnly === true && !/^(?:file|env):\/\//.test(text) ? '<set>' : text
}
