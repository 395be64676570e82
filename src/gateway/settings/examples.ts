/** The examples of a first start. Only `dev` makes examples; a gateway with settings of its own has none. */
export interface Examples {
  /** Whether examples are left to remove. */
  readonly areThere: () => boolean
  /**
   * Takes everything of the examples out of the settings, and deletes their files. Sessions and the audit log
   * stay, as they stay for any connection that is removed.
   * @param reload makes the gateway use the changed settings; if it fails, nothing is removed
   * @returns the folder that stays because it has changes of the user, or undefined
   */
  readonly remove: (reload: () => Promise<unknown>) => Promise<string | undefined>
}
