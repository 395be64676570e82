import {
  type Operand,
  type Pipeline,
  pipelinesIn,
  type TemplateStatement,
} from '../golang/template/syntax/ast.ts'
import { type ByteString, decodeText } from '../golang/text/byte-string.ts'

/** Returns all possible names of parameters, also inside blocks: `.a`, `$.a`, `index . "a"`. */
export function usedNames(statements: readonly TemplateStatement[]): string[] {
  return [...new Set(pipelinesIn(statements).flatMap(namesOfPipeline).map(decodeText))]
}

/** Returns no names if a parameter without a name may be there, too: then the names would be only a part. */
export function namesIn(pipeline: Pipeline): string[] {
  if (mayHaveUnnamed(pipeline)) return []
  return [...new Set(namesOfPipeline(pipeline).map(decodeText))]
}

export function namesOfPipeline({ commands }: Pick<Pipeline, 'commands'>): ByteString[] {
  return commands.flatMap(({ words }) => {
    const [callee] = words
    const isIndex = callee.kind === 'identifier' && callee.name === 'index'
    return words.flatMap((word) => ofOperand(word, isIndex))
  })
}

/** Returns the first name of `.a.b`, because a parameter is a text without fields. */
function ofOperand(operand: Operand, isIndexed: boolean): ByteString[] {
  switch (operand.kind) {
    case 'field':
    case 'chain':
      return operand.names.slice(0, 1)
    case 'variable':
      return operand.name === '$' ? operand.fields.slice(0, 1) : []
    case 'string':
      return isIndexed ? [operand.value] : []
    case 'pipeline':
      return namesOfPipeline(operand)
    default:
      return []
  }
}

/** Whether the dot, all parameters together, or a variable is in the pipeline. `index . "a"` has only a name. */
function mayHaveUnnamed({ commands }: Pipeline): boolean {
  return commands.some(({ words }) => {
    const [callee, , key] = words
    const isNamed = callee.kind === 'identifier' && callee.name === 'index' && key?.kind === 'string'
    return words.some((word, at) => !(isNamed && at === 1) && isUnnamed(word))
  })
}

function isUnnamed(operand: Operand): boolean {
  if (operand.kind === 'variable') return operand.name !== '$' || operand.fields.length === 0
  if (operand.kind === 'pipeline') return mayHaveUnnamed(operand)
  return operand.kind === 'dot'
}
