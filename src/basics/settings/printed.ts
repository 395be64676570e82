import type { JsonSchema } from './json-schema.ts'

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
