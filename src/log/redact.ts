const SECRET_NAME = /(key|token|secret|passw(or)?d|passphrase|authorization|credential|dsn)s?$/i
const REDACTED = '[redacted]'
const UNPRINTABLE = '[unprintable]'

/**
 * Copies the fields of a log line without the text of names that sound secret, at any depth. This is a last safety
 * net: nobody should log secrets. Never throws. pino's own `redact` does not do: with a wildcard, pino 10.4 clones
 * each value by its enumerable properties, and the clone of a URL, a Buffer or an object with a failing getter makes
 * the logging call throw (seen).
 */
export function redactFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redactField(name, value)]))
}

function redactField(name: string, value: unknown): unknown {
  if (hides(name, value)) return REDACTED
  // pino has its own form for an error in `err`, with the stack.
  if (typeof value !== 'object' || value === null || (name === 'err' && value instanceof Error)) return value
  try {
    return JSON.parse(JSON.stringify(value, replace)) as unknown
  } catch {
    return UNPRINTABLE
  }
}

function replace(name: string, value: unknown): unknown {
  if (hides(name, value)) return REDACTED
  if (typeof value === 'bigint') return String(value)
  return value instanceof Error ? { type: value.name, message: value.message } : value
}

/** Numbers and booleans reveal nothing: `keys: 3` may be shown. */
function hides(name: string, value: unknown): boolean {
  return (
    SECRET_NAME.test(name) && (typeof value === 'string' || (typeof value === 'object' && value !== null))
  )
}
