import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { json, matching, parsed } from '../../../basics/settings/shapes.ts'

/** What most settings of gateway.yaml are made of. */
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
