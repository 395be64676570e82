import type { Rendered } from '../api/types.ts'
import type { Parameter, Values } from './parameters.ts'
import { isSecret } from './parameters.ts'

const HIDDEN = '••••••'
/** The agent's limit: shorter texts would also be found where they are no secret. */
const SHORTEST_SECRET_BYTES = 6

/** Returns the script without secret values, also where the template has quoted or encoded them. */
export function shownScript(
  { script, secret_parameters }: Rendered,
  parameters: readonly Parameter[],
  values: Values,
): string {
  const names = new Set([...secret_parameters, ...parameters.filter(isSecret).map(({ name }) => name)])
  const secrets = [...names].flatMap((name) => formsOf(values[name] ?? ''))
  // The longest first: one may be part of another.
  secrets.sort((a, b) => b.length - a.length)
  return secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), script)
}

function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value)
  if (bytes.length < SHORTEST_SECRET_BYTES) return []
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  const quoted = [
    value.replaceAll("'", `'\\''`),
    value.replaceAll("'", "''"),
    JSON.stringify(value).slice(1, -1),
  ]
  return [...new Set([value, base64, encodeURIComponent(value), ...quoted])]
}
