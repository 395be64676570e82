import type { ByteString } from '../../text/byte-string.ts'
import { literalCharacter, quote, unquote } from '../../text/quote.ts'
import {
  type CallNode,
  type Chain,
  nodeText,
  type Num,
  type Operand,
  type Pipeline,
  type Str,
  type VariableNode,
} from './ast.ts'
import type { Token, TokenKind } from './lexer.ts'
import type { Reader } from './reader.ts'

/** A bigint is an `int`, and a number is a `float64`. `too-big` fits only an unsigned integer. */
type NumberMeaning = { readonly value: bigint | number | 'too-big' } | { readonly error: ByteString }

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)
const MAX_UINT = 2n ** 64n - 1n
/** Maximum number of digits in base 2. A longer number is out of range in every base. */
const MAX_DIGITS = 64

const INTEGER = /^([+-]?)(?:0[xX]([0-9a-fA-F_]+)|0[oO]([0-7_]+)|0[bB]([01_]+)|0([0-7_]+)|(0|[1-9][0-9_]*))$/
const FLOAT = /^[+-]?(?:[0-9_]+(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][+-]?[0-9][0-9_]*)?$/
const STRAY_UNDERSCORE = /(?:^|[^0-9])_|_(?![0-9])/
const STRAY_HEX_UNDERSCORE = /(?:^|[^0-9a-fA-F])_|_(?![0-9a-fA-F])/

/** Reads a number like Go's untyped constants. Refuses complex numbers and hexadecimal floats. */
function readNumber(text: ByteString): NumberMeaning {
  if (text.endsWith('i')) return { error: `complex constants are not supported: ${quote(text)}` }
  const integer = readInteger(text)
  if (integer !== undefined) return integerMeaning(text, integer)
  if (/^[+-]?0[xX].*[pP]/.test(text)) {
    return { error: `hexadecimal floating point constants are not supported: ${quote(text)}` }
  }
  const float = readFloat(text)
  if (float === undefined) return { error: `illegal number syntax: ${quote(text)}` }
  if (!hasFloatSign(text)) return { error: `integer overflow: ${quote(text)}` }
  return { value: float }
}

/** Reads a character constant such as `'a'`, whose value is its code point. */
function readCharacter(text: ByteString): NumberMeaning {
  const character = literalCharacter(text, 1, "'")
  if (character === undefined) return { error: 'invalid syntax' }
  if (character.next !== text.length - 1) return { error: `malformed character constant: ${text}` }
  return { value: BigInt(character.value) }
}

/** As in Go, a signed hexadecimal number with an `e` becomes a float64: `-0xe` is the float64 -14. */
function integerMeaning(text: ByteString, value: bigint): NumberMeaning {
  if (value > MAX_INT) return { value: 'too-big' }
  if (hasFloatSign(text) && !/^0[xX]/.test(text)) return { value: Number(value) }
  return { value }
}

function hasFloatSign(text: ByteString): boolean {
  return /[.eEpP]/.test(text)
}

/** Reads an integer of 64 bits. Without a sign it is unsigned. Returns undefined for any other text. */
function readInteger(text: ByteString): bigint | undefined {
  const match = INTEGER.exec(text)
  if (match === null || !underscoresSeparateDigits(text)) return undefined
  const [, sign = '', hex, octal, binary, oldOctal, decimal] = match
  const prefix = hex !== undefined ? '0x' : binary !== undefined ? '0b' : decimal !== undefined ? '' : '0o'
  const written = hex ?? octal ?? binary ?? oldOctal ?? decimal ?? ''
  const digits = written.replaceAll('_', '').replace(/^0+/, '')
  if (digits.length > MAX_DIGITS) return undefined
  const magnitude = BigInt(digits === '' ? '0' : prefix + digits)
  const value = sign === '-' ? -magnitude : magnitude
  return value >= MIN_INT && value <= (sign === '' ? MAX_UINT : MAX_INT) ? value : undefined
}

function readFloat(text: ByteString): number | undefined {
  if (!FLOAT.test(text) || !/[0-9]/.test(text) || !underscoresSeparateDigits(text)) return undefined
  const value = Number(text.replaceAll('_', ''))
  return Number.isFinite(value) ? value : undefined
}

/** Each underscore must be between two digits. A base prefix counts as a digit. */
function underscoresSeparateDigits(text: ByteString): boolean {
  const isHex = /^[+-]?0[xX]/.test(text)
  const digits = text.replace(/^[+-]/, '').replace(/^0[xXbBoO]/, '0')
  return !(isHex ? STRAY_HEX_UNDERSCORE : STRAY_UNDERSCORE).test(digits)
}

const COMMAND_STARTS: ReadonlySet<TokenKind> = new Set([
  'bool',
  'character',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParenthesis',
])
/** Operands that never accept a piped value, because they are not functions. */
const CONSTANTS: ReadonlySet<Operand['kind']> = new Set(['bool', 'dot', 'nil', 'number', 'string'])

/** Reads a pipeline and the token that ends it. Errors name `context`; `range` allows two variables. */
export function readPipeline(reader: Reader, context: string, end: TokenKind): Pipeline {
  const { at } = reader.peekNonSpace()
  const { declares, assigns } = readDeclarations(reader, context)
  const commands: CallNode[] = []
  for (;;) {
    const token = reader.nextNonSpace()
    if (token.kind === end) break
    if (!COMMAND_STARTS.has(token.kind)) reader.unexpected(token, context)
    reader.putBack(token)
    commands.push(readCommand(reader))
  }
  checkCommands(reader, commands, context)
  return { kind: 'pipeline', at, declares, assigns, commands }
}

function checkCommands(reader: Reader, commands: readonly CallNode[], context: string): void {
  if (commands.length === 0) reader.fail(`missing value for ${context}`)
  const stage = commands.findIndex((command, index) => index > 0 && CONSTANTS.has(command.words[0].kind))
  if (stage > 0) reader.fail(`non executable command in pipeline stage ${stage + 1}`)
}

type Term = Exclude<Operand, Chain>

type Declarations = Pick<Pipeline, 'declares' | 'assigns'>

const NO_DECLARATIONS: Declarations = { declares: [], assigns: false }

/** Reads `$a :=` or `$a =`, and in a range `$a, $b :=`. A variable that is an operand is put back. */
function readDeclarations(reader: Reader, context: string): Declarations {
  const declares: VariableNode[] = []
  for (;;) {
    const name = reader.peekNonSpace()
    if (name.kind !== 'variable') return { declares, assigns: false }
    reader.next()
    const after = reader.peek()
    const sign = reader.peekNonSpace()
    if (sign.kind === 'assign' || sign.kind === 'declare') {
      declareVariable(reader, name, declares)
      return { declares, assigns: sign.kind === 'assign' }
    }
    if (sign.kind !== 'punctuation' || sign.text !== ',') {
      if (after.kind === 'space') reader.putBack(after)
      reader.putBack(name)
      return declares.length === 0 ? NO_DECLARATIONS : { declares, assigns: false }
    }
    declareVariable(reader, name, declares)
    checkSecondVariable(reader, context, declares.length)
  }
}

/** Declares a variable. As in Go, an assignment by `=` also declares its variable. */
function declareVariable(reader: Reader, name: Token, declares: VariableNode[]): void {
  reader.nextNonSpace()
  declares.push(variable(name.at, name.text))
  reader.variables.declare(name.text, undefined)
}

function checkSecondVariable(reader: Reader, context: string, declared: number): void {
  if (context !== 'range' || declared > 1) reader.fail(`too many declarations in ${context}`)
  const { kind } = reader.peekNonSpace()
  if (kind !== 'variable' && kind !== 'rightDelimiter' && kind !== 'rightParenthesis') {
    reader.fail('range can only initialize variables')
  }
}

function readCommand(reader: Reader): CallNode {
  const { at } = reader.peekNonSpace()
  const words: Operand[] = []
  for (;;) {
    reader.peekNonSpace()
    const operand = readOperand(reader)
    if (operand !== undefined) words.push(operand)
    const token = reader.next()
    if (token.kind === 'space') continue
    if (token.kind === 'rightDelimiter' || token.kind === 'rightParenthesis') reader.putBack(token)
    else if (token.kind !== 'pipe') reader.unexpected(token, 'operand')
    break
  }
  const [first, ...rest] = words
  if (first === undefined) reader.fail('empty command')
  return { kind: 'command', at, words: [first, ...rest] }
}

/** Returns undefined when the next token is not a term. */
function readOperand(reader: Reader): Operand | undefined {
  const term = readTerm(reader)
  if (term === undefined || reader.peek().kind !== 'field') return term
  const { at } = reader.peek()
  const names: ByteString[] = []
  while (reader.peek().kind === 'field') names.push(reader.next().text.slice(1))
  return withFields(reader, term, at, names)
}

/** Adds fields to a term. Errors name the first of these fields as the place of the operand. */
function withFields(reader: Reader, term: Term, at: number, names: readonly ByteString[]): Operand {
  switch (term.kind) {
    case 'field':
      return { kind: 'field', at, names: [...term.names, ...names] }
    case 'variable':
      return { ...term, at, fields: names }
    case 'identifier':
    case 'pipeline':
      return { kind: 'chain', at, base: term, names }
    default:
      return reader.fail(`unexpected . after term ${quote(nodeText(term))}`)
  }
}

function readTerm(reader: Reader): Term | undefined {
  const token = reader.nextNonSpace()
  const { at, text } = token
  switch (token.kind) {
    case 'identifier':
      if (!reader.dialect.functions.has(text)) reader.fail(`function ${quote(text)} not defined`)
      return { kind: 'identifier', at, name: text }
    case 'dot':
    case 'nil':
      return { kind: token.kind, at }
    case 'variable':
      return usedVariable(reader, token)
    case 'field':
      return { kind: 'field', at, names: [text.slice(1)] }
    case 'bool':
      return { kind: 'bool', at, value: text === 'true' }
    case 'character':
    case 'complex':
    case 'number':
      return readConstant(reader, token)
    case 'string':
    case 'rawString':
      return readString(reader, token)
    case 'leftParenthesis':
      return reader.nested('max expression depth exceeded', () =>
        readPipeline(reader, 'parenthesized pipeline', 'rightParenthesis'),
      )
    default:
      reader.putBack(token)
      return undefined
  }
}

function usedVariable(reader: Reader, token: Token): VariableNode {
  if (reader.variables.find(token.text) === undefined) reader.fail(`undefined variable ${quote(token.text)}`)
  return variable(token.at, token.text)
}

function variable(at: number, name: ByteString): VariableNode {
  return { kind: 'variable', at, name, fields: [] }
}

function readConstant(reader: Reader, token: Token): Num {
  const meaning = token.kind === 'character' ? readCharacter(token.text) : readNumber(token.text)
  if ('error' in meaning) return reader.fail(meaning.error)
  return { kind: 'number', at: token.at, written: token.text, value: meaning.value }
}

function readString(reader: Reader, token: Token): Str {
  const value = unquote(token.text)
  if (value === undefined) return reader.fail('invalid syntax')
  return { kind: 'string', at: token.at, written: token.text, value }
}
