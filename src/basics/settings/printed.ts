/** A setting as it is now. `value` is null when it has none. */
export interface PrintedSetting {
  readonly name: string
  /** In the form in which it is written; of a secret `<set>`. */
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
