import type { Rendered } from '../api/types.ts'
import type { Mark } from '../parts/marks.ts'
import type { Parameter, Values } from './parameters.ts'
import { isSecret } from './parameters.ts'

const HIDDEN = '••••••'
/** Minimum length of a secret, the same as in the agent. A shorter secret would also match ordinary text. */
const MIN_SECRET_BYTES = 6
/** The gateway sends only this number of places. */
const MAX_PLACES = 200

/**
 * Hides secret values, also in their quoted and encoded forms, and whatever a template made of them. Returns no
 * marks if a secret lies across the edge of one.
 */
export function shownScript(
  { script, secret_parameters, marks = [] }: Rendered,
  parameters: readonly Parameter[],
  values: Values,
): { readonly text: string; readonly marks: readonly Mark[] } {
  const names = new Set([...secret_parameters, ...parameters.filter(isSecret).map(({ name }) => name)])
  const secrets = [...names].flatMap((name) => formsOf(values[name] ?? ''))
  const hasSecret = [...names].some((name) => (values[name] ?? '') !== '')
  // The longest secret is hidden first, because a secret may be a part of another one.
  secrets.sort((a, b) => b.length - a.length)
  const hidden = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
  let shown = ''
  let whole = ''
  let from = 0
  const add = (until: number, isSecretPlace: boolean): number => {
    const piece = isSecretPlace ? HIDDEN : script.slice(from, until)
    from = until
    whole += piece
    shown += hidden(piece)
    return shown.length
  }
  const moved = marks.map(({ start, end, names: used }) => {
    // Without a name, any parameter may be there: `{{ with .password }}{{ . }}{{ end }}`.
    const isSecretPlace = used.length === 0 ? hasSecret : used.some((name) => names.has(name))
    return { start: add(start, false), end: add(end, isSecretPlace), names: used }
  })
  add(script.length, hasSecret && marks.length >= MAX_PLACES)
  const text = hidden(whole)
  return { text, marks: shown === text ? moved : [] }
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
