/** Takes bytes. If there is no room for more, returns a promise that settles when there is room. */
export type Take = (bytes: Buffer) => Promise<void> | undefined

interface Source {
  /**
   * Returns all unread bytes; 'none' if there are none yet. Throws the error that ended the source too early.
   */
  readonly read: () => Buffer | 'none' | 'over'
  /** Sets the function to call whenever `read` may return more. */
  readonly onNews: (call: () => void) => void
}

/**
 * Passes bytes on as soon as they arrive, without a promise for each read: for a small packet, such a promise
 * would cost more than all other work. Rejects with the error of `read` or `take`. After an error, no more
 * bytes are taken.
 */
export function delivery({ read, onNews }: Source, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    let isTaking = false
    const pass = (): void => {
      if (isTaking) return
      // After the end, `isTaking` stays true, so that nothing more is read.
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
