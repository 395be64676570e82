import { createHash } from 'node:crypto'
import { RE2JS } from 're2js'
import * as v from 'valibot'
import { json, matching, parsed } from '../../basics/settings/shapes.ts'

/** The form of most names in gateway.yaml. */
export const Name = matching(
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
  'a name of 1 to 100 letters, digits, dots, underscores or hyphens',
)
export const TextLine = matching(/^[^\p{Cc}]*$/u, 'one line of text')

/** A token or key, or its hash. Only the hash is kept. */
export const SecretHash = v.pipe(
  parsed((written) => {
    const [, hash] = /^sha256:([0-9a-fA-F]{64})$/.exec(written) ?? []
    if (hash !== undefined) return Buffer.from(hash, 'hex')
    if (written.startsWith('sha256:') || !/^[\x21-\x7e]{16,4096}$/.test(written)) return undefined
    return createHash('sha256').update(written).digest()
  }, 'a secret of at least 16 printable characters without spaces, or sha256: and its hash in 64 hexadecimal digits,'),
  json({ writeOnly: true }),
)

export const Count = parsed(
  (written) => (/^[1-9]\d{0,2}$/.test(written) ? Number(written) : undefined),
  'a number from 1 to 999',
  { type: ['integer', 'string'], pattern: '^[1-9]\\d{0,2}$', minimum: 1, maximum: 999 },
)

/** The length is limited: RE2 needs 0.1 s for the slowest pattern of 1000 characters and a path of 4 KiB. */
export const PATTERN_FORM = /^(?!\/)[^\p{Cc}\\]{1,1000}$/u

/**
 * `*` matches any characters except a slash, `**` matches any characters, and all others match themselves.
 */
export class PathPattern {
  readonly text: string
  readonly #expression: RE2JS

  /** @returns undefined if the text is not a path inside a repository */
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
