import { decodeText, encodeText, type ByteString } from '../golang/text/byte-string.ts'
import { FunctionFailure } from '../golang/template/errors.ts'

/** PostgreSQL cuts longer names, which would then mean another table. */
const MAX_IDENTIFIER_BYTES = 63

/** One word for a Bourne shell, to be used outside of quotes. */
export function shellQuoted(value: ByteString): ByteString {
  refuseNul(value)
  return `'${value.replaceAll("'", `'\\''`)}'`
}

/**
 * A text for SQL, to be used outside of quotes. In one database a backslash in quotes is a plain character, in another
 * it escapes the mark after it. No spelling means the same in both, so it is refused.
 */
export function sqlQuoted(value: ByteString): ByteString {
  refuseForSql(value)
  return `'${value.replaceAll("'", "''")}'`
}

/** A table or column name in standard SQL, to be used outside of quotes. */
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
  // Half a character could swallow the closing mark.
  if (encodeText(decodeText(value)) !== value) {
    throw new FunctionFailure('bytes that are not UTF-8 cannot be quoted for SQL')
  }
}

function refuseNul(value: ByteString): void {
  if (value.includes('\0')) throw new FunctionFailure('a NUL byte cannot be quoted')
}
