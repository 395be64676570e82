import { matches } from '../golang/template/run/pattern.ts'
import { FunctionFailure } from '../golang/template/errors.ts'
import { ofArgumentAndValue, ofValue, type TemplateFunction } from '../golang/template/run/function.ts'
import { cheap, GO_FUNCTIONS } from '../golang/template/run/go-functions.ts'
import type { Dialect } from '../golang/template/dialect.ts'
import { base64Fault } from '../golang/text/base64.ts'
import { decodeText, type ByteString } from '../golang/text/byte-string.ts'
import { shellQuoted, sqlIdentifier, sqlQuoted } from './quoting.ts'

/** The expression follows these words in an error. They are hoop's, and tell a client which parameter it is. */
export const PATTERN_MISMATCH = "pattern didn't match:"

/** Returns the piped value unchanged: the function only tells clients something about an input. */
const keep = cheap(ofArgumentAndValue((_argument, value) => value))

/** The functions hoop gives to runbooks (protocol.md 9.3). */
const RUNBOOK_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  required: cheap(
    ofArgumentAndValue((message, value) => {
      if (value === '') throw new FunctionFailure(message)
      return value
    }),
  ),
  default: cheap(ofArgumentAndValue((fallback, value) => (value === '' ? fallback : value))),
  pattern: ofArgumentAndValue((expression, value, scope) => {
    if (!matches(expression, value, scope)) throw new FunctionFailure(PATTERN_MISMATCH + expression)
    return value
  }),
  type: keep,
  description: keep,
  placeholder: keep,
  minlength: keep,
  maxlength: keep,
  order: keep,
  options: cheap({ fixed: [], rest: 'string', apply: (args) => args.at(-1) ?? '' }),
  squote: ofValue((value) => `'${value}'`),
  dquote: ofValue((value) => `"${value}"`),
  quotechar: ofArgumentAndValue((mark, value) => mark + value + mark),
  encodeb64: ofValue(encodeBase64),
  decodeb64: ofValue(decodeBase64),
  asenv: ofArgumentAndValue((key, value, scope) => {
    scope.environment.set(`envvar:${decodeText(key)}`, encodeBase64(value))
    return ''
  }),
}

/** Our own functions. hoop does not know them, and refuses a template that uses one. */
const OWN_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  shellquote: ofValue(shellQuoted),
  sqlquote: ofValue(sqlQuoted),
  sqlident: ofValue(sqlIdentifier),
}

function encodeBase64(bytes: ByteString): ByteString {
  return Buffer.from(bytes, 'latin1').toString('base64')
}

/** Line breaks are skipped; anything else wrong fails with Go's error and offset. */
function decodeBase64(text: ByteString): ByteString {
  const fault = base64Fault(text)
  if (fault !== undefined) throw new FunctionFailure(fault)
  return Buffer.from(text, 'base64').toString('latin1')
}

export const RUNBOOK: Dialect = {
  name: '',
  functions: new Map(Object.entries({ ...GO_FUNCTIONS, ...RUNBOOK_FUNCTIONS, ...OWN_FUNCTIONS })),
}
