import type { Chain, CallNode, Node, Pipeline } from './ast.ts'
import type { ByteString } from '../../text/byte-string.ts'

/** A node as Go writes it back: single spaces, ` | ` between commands, literals as the author wrote them. */
export function nodeText(node: Node): ByteString {
  switch (node.kind) {
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'bool':
      return String(node.value)
    case 'number':
    case 'string':
      return node.written
    case 'field':
      return `.${node.names.join('.')}`
    case 'variable':
      return [node.name, ...node.fields].join('.')
    case 'identifier':
      return node.name
    case 'chain':
      return chainText(node)
    case 'command':
      return commandText(node)
    case 'pipeline':
      return pipelineText(node)
  }
}

function chainText(chain: Chain): ByteString {
  return [inParentheses(chain.base), ...chain.names].join('.')
}

function commandText(command: CallNode): ByteString {
  return command.words.map(inParentheses).join(' ')
}

function pipelineText(pipeline: Pipeline): ByteString {
  const commands = pipeline.commands.map(commandText).join(' | ')
  if (pipeline.declares.length === 0) return commands
  return `${pipeline.declares.map(nodeText).join(', ')} ${pipeline.assigns ? '=' : ':='} ${commands}`
}

function inParentheses(node: Node): ByteString {
  return node.kind === 'pipeline' ? `(${pipelineText(node)})` : nodeText(node)
}
