/** Takes bytes. Returns a promise when there is no room for more, which settles when there is. */
export type Take = (bytes: Buffer) => Promise<void> | undefined

/** One direction of a connection. */
interface Source {
  /** Returns all unread bytes; 'none' when there are none yet. Throws what has ended the source too early. */
  readonly read: () => Buffer | 'none' | 'over'
  /** Sets what is called from now on whenever `read` may return more. */
  readonly onNews: (call: () => void) => void
}

/**
 * Passes bytes on until the source is over, in the turn in which they come: a promise for each read costs more than
 * all else that a small packet needs. Rejects with what `read` or `take` throw; then nothing more is taken.
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
