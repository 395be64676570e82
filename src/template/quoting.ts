import { decodeText, encodeText, type ByteString } from '../golang/text/byte-string.ts'
import { FunctionFailure } from '../golang/template/errors.ts'

/** PostgreSQL cuts longer names, and so would mean another table. */
const MAX_IDENTIFIER_BYTES = 63

/** One word of a Bourne shell, for a place outside of quotes. */
export function shellQuoted(value: ByteString): ByteString {
  refuseNul(value)
  return `'${value.replaceAll("'", `'\\''`)}'`
}

/**
 * A text of SQL, for a place outside of quotes. In one database a backslash in quotes is a backslash, in the next
 * it takes the mark behind it: there is no text that means the same in both, so it is refused.
 */
export function sqlQuoted(value: ByteString): ByteString {
  refuseForSql(value)
  return `'${value.replaceAll("'", "''")}'`
}

/** The name of a table or a column in standard SQL, for a place outside of quotes. */
export function sqlIdentifier(value: ByteString): ByteString {
  if (value === '') throw new FunctionFailure('a name may not be empty')
  if (value.length > MAX_IDENTIFIER_BYTES) {
    throw new FunctionFailure(`a name may not have more than ${MAX_IDENTIFIER_BYTES} bytes`)
  }
  refuseForSql(value)
  return `"${value.replaceAll('"', '""')}"`
}

function refuseForSql(value: ByteString): void {
  refuseNul(value)
  if (value.includes('\\')) {
    throw new FunctionFailure(
      'a backslash cannot be quoted for every database: pass the value in a variable (asenv), or as base64 (encodeb64)',
    )
  }
  // Half a character could take the closing mark with it.
  if (encodeText(decodeText(value)) !== value) {
    throw new FunctionFailure('bytes that are not UTF-8 cannot be quoted for SQL')
  }
}

function refuseNul(value: ByteString): void {
  if (value.includes('\0')) throw new FunctionFailure('a NUL byte cannot be quoted')
}
