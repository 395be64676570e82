/** `problem` is the text of Go's decoder, which quotes at most one character of the input. */
type JsonResult =
  { readonly value: unknown; readonly problem?: never } | { readonly problem: string; readonly value?: never }

const FIRST_CHARACTER = /^[ \t\r\n]*(.)/su
const LITERALS = ['true', 'false', 'null']
const BEGINNING_OF_VALUE = /[{["\-\dtfn]/

/** Parses JSON. V8's own error is not used, because it quotes the text. */
export function parseJson(text: string): JsonResult {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { problem: problemOf(text, (error as Error).message) }
  }
}

function problemOf(text: string, words: string): string {
  const first = FIRST_CHARACTER.exec(text)?.[1]
  if (first === undefined) return 'EOF'
  if (!BEGINNING_OF_VALUE.test(first)) return `invalid character '${first}' looking for beginning of value`
  const literal = LITERALS.find((each) => each.startsWith(first))
  if (literal !== undefined) return literalProblem(text.trimStart(), literal)
  return /^(?:Unexpected end|Unterminated string)/.test(words) ? 'unexpected EOF' : 'it is not valid JSON'
}

/** Returns the problem of a text like `forbidden`, which begins like the literal `false`. */
function literalProblem(text: string, literal: string): string {
  let at = 0
  while (at < literal.length && text[at] === literal[at]) at++
  const found = /^./su.exec(text.slice(at))?.[0]
  if (at === literal.length) return 'it is not valid JSON'
  if (found === undefined) return 'unexpected EOF'
  return `invalid character '${found}' in literal ${literal} (expecting '${literal.charAt(at)}')`
}

/** Returns Go's name for the kind of a JSON value. */
export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
