import { RE2JS } from 're2js'

/** A path inside a repository. RE2 compares the worst pattern of this length with the longest path (4 KiB) in 0.1 s. */
export const PATTERN_FORM = /^(?!\/)[^\p{Cc}\\]{1,1000}$/u

/** A pattern of files in a setting: `*` matches anything but a slash, `**` anything, other characters themselves. */
export class PathPattern {
  readonly text: string
  readonly #expression: RE2JS

  /** @returns undefined for what is no path inside a repository */
  static from(text: string): PathPattern | undefined {
    return PATTERN_FORM.test(text) ? new PathPattern(text) : undefined
  }

  private constructor(text: string) {
    const parts = text.split(/(\*+)/).map((part, at) => (at % 2 === 0 ? RE2JS.quote(part) : wild(part)))
    this.text = text
    this.#expression = RE2JS.compile(parts.join(''), RE2JS.DOTALL)
  }

  isFor(file: string): boolean {
    return this.#expression.matches(file)
  }

  toJSON(): string {
    return this.text
  }
}

function wild(stars: string): string {
  return stars.length === 1 ? '[^/]*' : '.*'
}
