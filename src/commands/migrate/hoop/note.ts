/** What cannot be carried over as it is. */
export interface Note {
  readonly about: string
  readonly text: string
  /** Whether hoop protects less there than this gateway does. */
  readonly isWeaker: boolean
}

export function note(about: string, text: string): Note {
  return { about, text, isWeaker: false }
}

export function weaker(about: string, text: string): Note {
  return { about, text, isWeaker: true }
}
