import { FunctionFailure } from '../golang/template/errors.ts'
import {
  type Dialect,
  ofArgumentAndValue,
  ofValue,
  type TemplateFunction,
} from '../golang/template/run/function.ts'
import { cheap, GO_FUNCTIONS } from '../golang/template/run/go-functions.ts'
import { matches } from '../golang/template/run/pattern.ts'
import { base64Fault } from '../golang/text/base64.ts'
import { type ByteString, decodeText, encodeText } from '../golang/text/byte-string.ts'

/**
 * Maximum length of a name in bytes. PostgreSQL cuts a longer name, and the cut name may be the name of
 * another table.
 */
const MAX_IDENTIFIER_BYTES = 63

/** Quotes one word for a Bourne shell. The result must not be used inside quotes. */
function shellQuoted(value: ByteString): ByteString {
  refuseNul(value)
  return `'${value.replaceAll("'", `'\\''`)}'`
}

/**
 * Quotes a text for SQL. The result must not be used inside quotes. Refuses a backslash, which is an escape
 * only in some databases.
 */
function sqlQuoted(value: ByteString): ByteString {
  refuseForSql(value)
  return `'${value.replaceAll("'", "''")}'`
}

/** Quotes a table or column name in standard SQL. The result must not be used inside quotes. */
function sqlIdentifier(value: ByteString): ByteString {
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
      'a backslash cannot be quoted for every database; pass the value in a variable (asenv), or as base64 (encodeb64)',
    )
  }
  // Incomplete UTF-8 before the closing quote could make the quote a part of a character.
  if (encodeText(decodeText(value)) !== value) {
    throw new FunctionFailure('bytes that are not UTF-8 cannot be quoted for SQL')
  }
}

function refuseNul(value: ByteString): void {
  if (value.includes('\0')) throw new FunctionFailure('a NUL byte cannot be quoted')
}

/** Hoop's words before the expression. Clients find the parameter by these words. */
export const PATTERN_MISMATCH = "pattern didn't match:"

/** Returns the piped value unchanged, because the function only describes an input for clients. */
const keep = cheap(ofArgumentAndValue((_argument, value) => value))

/** Functions that hoop gives to runbooks (protocol.md 9.3). */
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
  asenv: {
    ...ofArgumentAndValue((key, value, scope) => {
      scope.environment.set(`envvar:${decodeText(key)}`, encodeBase64(value))
      return ''
    }),
    applyUnknown: ([key], scope) => {
      if (typeof key === 'string') scope.unknownVariables.add(`envvar:${decodeText(key)}`)
      return ''
    },
  },
}

/** Functions that hoop does not have. Hoop refuses a template that uses one of them. */
const OWN_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  shellquote: ofValue(shellQuoted),
  sqlquote: ofValue(sqlQuoted),
  sqlident: ofValue(sqlIdentifier),
}

function encodeBase64(bytes: ByteString): ByteString {
  return Buffer.from(bytes, 'latin1').toString('base64')
}

/** Ignores line breaks. @throws FunctionFailure with Go's error text and offset */
function decodeBase64(text: ByteString): ByteString {
  const fault = base64Fault(text)
  if (fault !== undefined) throw new FunctionFailure(fault)
  return Buffer.from(text, 'base64').toString('latin1')
}

export const RUNBOOK: Dialect = {
  name: '',
  functions: new Map(Object.entries({ ...GO_FUNCTIONS, ...RUNBOOK_FUNCTIONS, ...OWN_FUNCTIONS })),
}
