import type { Rendered } from '../api/types.ts'
import type { Parameter, Values } from './parameters.ts'
import { isSecret } from './parameters.ts'

const HIDDEN = '••••••'
/** Minimum length of a secret, the same as in the agent. A shorter secret would also match ordinary text. */
const MIN_SECRET_BYTES = 6

/** Hides secret values, also in their quoted and encoded forms. */
export function shownScript(
  { script, secret_parameters }: Rendered,
  parameters: readonly Parameter[],
  values: Values,
): string {
  const names = new Set([...secret_parameters, ...parameters.filter(isSecret).map(({ name }) => name)])
  const secrets = [...names].flatMap((name) => formsOf(values[name] ?? ''))
  // The longest secret is hidden first, because a secret may be a part of another one.
  secrets.sort((a, b) => b.length - a.length)
  return secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), script)
}

function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value)
  if (bytes.length < MIN_SECRET_BYTES) return []
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  const quoted = [
    value.replaceAll("'", `'\\''`),
    value.replaceAll("'", "''"),
    JSON.stringify(value).slice(1, -1),
  ]
  return [...new Set([value, base64, encodeURIComponent(value), ...quoted])]
}
