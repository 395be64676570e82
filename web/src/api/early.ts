// An answer that `first.ts` asks for while the browser still loads the view that needs it.

interface Early {
  readonly path: string
  /** Undefined if the gateway does not answer with a success: then the view asks again. */
  readonly answer: Promise<Response | undefined>
}

let early: Early | undefined
let isTaken = false

export function keepEarly(path: string, answer: Early['answer']): void {
  early = { path, answer }
}

/** Returns the early answer to this request, once. */
export function takeEarly(path: string): Early['answer'] | undefined {
  if (early?.path !== path) return undefined
  const { answer } = early
  early = undefined
  isTaken = true
  return answer
}

/**
 * Drops an answer that nobody has taken: from now on the page learns of changes, and an older answer would hide them.
 * @returns whether a view shows the early answer
 */
export function endEarly(): boolean {
  early = undefined
  return isTaken
}
