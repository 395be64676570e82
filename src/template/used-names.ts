import type { Arm, Operand, Pipeline, TemplateStatement } from '../golang/template/syntax/ast.ts'
import { decodeText, type ByteString } from '../golang/text/byte-string.ts'

/** Every name that may be a parameter's, wherever a template has it: `.a`, `$.a`, `index . "a"`, inside blocks too. */
export function usedNames(statements: readonly TemplateStatement[]): string[] {
  return [...new Set(statements.flatMap(ofStatement).map(decodeText))]
}

function ofStatement(statement: TemplateStatement): ByteString[] {
  switch (statement.kind) {
    case 'action':
      return ofPipeline(statement.pipeline)
    case 'if':
    case 'with':
      return [...statement.arms.flatMap(ofArm), ...statement.otherwise.flatMap(ofStatement)]
    case 'range':
      return [...ofArm(statement), ...statement.otherwise.flatMap(ofStatement)]
    default:
      return []
  }
}

function ofArm({ pipeline, body }: Arm): ByteString[] {
  return [...ofPipeline(pipeline), ...body.flatMap(ofStatement)]
}

function ofPipeline({ commands }: Pipeline): ByteString[] {
  return commands.flatMap(({ words }) => {
    const [callee] = words
    const isIndex = callee.kind === 'identifier' && callee.name === 'index'
    return words.flatMap((word) => ofOperand(word, isIndex))
  })
}

/** The first name of `.a.b`: a parameter is a text and has no fields. */
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
      return ofPipeline(operand)
    default:
      return []
  }
}
