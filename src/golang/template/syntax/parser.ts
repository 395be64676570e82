import { type ByteString, encodeText } from '../../text/byte-string.ts'
import { MAX_TEMPLATE_BYTES, MAX_TEMPLATE_DEPTH, TemplateError } from '../errors.ts'
import type { Dialect } from '../run/function.ts'
import type { Arm, Choice, Range, TemplateStatement } from './ast.ts'
import type { Token } from './lexer.ts'
import { readPipeline } from './pipelines.ts'
import { Reader } from './reader.ts'

/** @throws TemplateError for a text over the size limit */
export function encodeSource(source: string): ByteString {
  const bytes = encodeText(source)
  if (bytes.length <= MAX_TEMPLATE_BYTES) return bytes
  throw new TemplateError('parse', `the template has ${bytes.length} bytes, maximum is ${MAX_TEMPLATE_BYTES}`)
}

/** Refuses `define`, `template` and `block`. */
export function parseStatements(source: ByteString, dialect: Dialect): readonly TemplateStatement[] {
  const reader: Reader = new Reader(source, dialect)
  const statements: TemplateStatement[] = []
  while (reader.peek().kind !== 'eof') {
    const part = readPart(reader)
    if (isBoundary(part)) reader.fail(`unexpected {{${part}}}`)
    statements.push(part)
  }
  return statements
}

type Boundary = 'end' | 'else'

interface List {
  readonly statements: readonly TemplateStatement[]
  readonly boundary: Boundary
}

function isBoundary(part: TemplateStatement | Boundary): part is Boundary {
  return typeof part === 'string'
}

function readList(reader: Reader): List {
  const statements: TemplateStatement[] = []
  while (reader.peekNonSpace().kind !== 'eof') {
    const part = readPart(reader)
    if (isBoundary(part)) return { statements, boundary: part }
    statements.push(part)
  }
  return reader.fail('unexpected EOF')
}

function readPart(reader: Reader): TemplateStatement | Boundary {
  const token = reader.nextNonSpace()
  if (token.kind === 'text') return { kind: 'text', bytes: token.text }
  if (token.kind !== 'leftDelimiter') reader.unexpected(token, 'input')
  reader.actionLine = token.line
  const part = readAction(reader)
  reader.actionLine = 0
  return part
}

function readAction(reader: Reader): TemplateStatement | Boundary {
  const token = reader.nextNonSpace()
  switch (token.kind) {
    case 'if':
    case 'with':
      return inBlock(reader, () => readChoice(reader, token.text === 'if' ? 'if' : 'with'))
    case 'range':
      return inBlock(reader, () => readRange(reader))
    case 'break':
    case 'continue':
      return readJump(reader, token.kind)
    case 'end':
      reader.expect('rightDelimiter', 'end')
      return 'end'
    case 'else':
      return readElse(reader)
    case 'define':
    case 'template':
    case 'block':
      return reader.fail(`{{${token.kind}}} is not supported`)
    default:
      reader.putBack(token)
      return { kind: 'action', pipeline: readPipeline(reader, 'command', 'rightDelimiter') }
  }
}

/** Reads a block one level deeper. Forgets the block's variables at its end. */
function inBlock<T>(reader: Reader, read: () => T): T {
  const mark = reader.variables.mark()
  const block = reader.nested(`blocks are nested more than ${MAX_TEMPLATE_DEPTH} levels deep`, read)
  reader.variables.release(mark)
  return block
}

/** Leaves the `if` of `{{else if}}` and the `with` of `{{else with}}` to `readChoice`. */
function readElse(reader: Reader): Boundary {
  const { kind } = reader.peekNonSpace()
  if (kind !== 'if' && kind !== 'with') reader.expect('rightDelimiter', 'else')
  return 'else'
}

/** Reads the arms in a loop, because a chain of `else if` may be longer than the maximum depth of blocks. */
function readChoice(reader: Reader, kind: Choice['kind']): Choice {
  const arms: Arm[] = []
  for (;;) {
    const pipeline = readPipeline(reader, kind, 'rightDelimiter')
    const { statements, boundary } = readList(reader)
    arms.push({ pipeline, body: statements })
    if (boundary === 'end') return { kind, arms, otherwise: [] }
    if (reader.peek().kind !== kind) return { kind, arms, otherwise: readLastList(reader) }
    reader.next()
  }
}

function readRange(reader: Reader): Range {
  const pipeline = readPipeline(reader, 'range', 'rightDelimiter')
  reader.rangeDepth++
  const { statements, boundary } = readList(reader)
  reader.rangeDepth--
  return {
    kind: 'range',
    pipeline,
    body: statements,
    otherwise: boundary === 'else' ? readLastList(reader) : [],
  }
}

function readLastList(reader: Reader): readonly TemplateStatement[] {
  const { statements, boundary } = readList(reader)
  if (boundary !== 'end') reader.fail(`expected end; found {{${boundary}}}`)
  return statements
}

function readJump(reader: Reader, kind: 'break' | 'continue'): TemplateStatement {
  const token: Token = reader.nextNonSpace()
  if (token.kind !== 'rightDelimiter') reader.unexpected(token, `{{${kind}}}`)
  if (reader.rangeDepth === 0) reader.fail(`{{${kind}}} outside {{range}}`)
  return { kind }
}
