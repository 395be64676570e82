/** Takes bytes. Returns a promise if there is no room for more; it settles when there is room. */
export type Take = (bytes: Buffer) => Promise<void> | undefined

interface Source {
  /**
   * Returns all unread bytes; 'none' if there are none yet. Throws the error that ended the source too early.
   */
  readonly read: () => Buffer | 'none' | 'over'
  /** Sets what is called from now on whenever `read` may return more. */
  readonly onNews: (call: () => void) => void
}

/**
 * Passes bytes on in the turn in which they come: a promise for each read would cost more than all other work
 * for a small packet. Rejects with the error of `read` or `take`; then nothing more is taken.
 */
export function delivery({ read, onNews }: Source, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    let isTaking = false
    const pass = (): void => {
      if (isTaking) return
      // Stays true after the end.
      isTaking = true
      try {
        for (let bytes = read(); bytes !== 'none'; bytes = read()) {
          if (bytes === 'over') return resolve()
          const taken = take(bytes)
          if (taken !== undefined) return void taken.then(again, reject)
        }
        isTaking = false
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const again = (): void => {
      isTaking = false
      pass()
    }
    onNews(pass)
    pass()
  })
}
