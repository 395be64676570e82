import type { CallNode, TemplateStatement } from '../../golang/template/syntax/ast.ts'
import { decodeText } from '../../golang/text/byte-string.ts'
import { discoverInputs, type Input } from '../inputs.ts'
import { Variables } from '../../golang/template/syntax/variables.ts'
import { charactersIn, intersection, NUMBER, type Characters } from './characters.ts'
import { anything, commandFlow, type Flow } from './flow.ts'

/** Functions that leave the parameter's value as it is. */
const KEEPING = new Set([
  ...['required', 'default', 'pattern', 'type', 'options', 'description', 'placeholder'],
  ...['minlength', 'maxlength', 'order'],
])

/** Types whose form allows only these characters. */
const FORMS: Readonly<Partial<Record<string, Characters>>> = {
  number: NUMBER,
  date: charactersIn('0123456789-'),
  time: charactersIn('0123456789:'),
}

/**
 * What holds for every use of a parameter: a value that does not pass a top-level action ends the rendering.
 * @param portable counts only what a hoop gateway enforces too, which is patterns
 */
export function declaredFlows(
  statements: readonly TemplateStatement[],
  portable: boolean,
): ReadonlyMap<string, Flow> {
  const flows = new Map<string, Flow>()
  const narrow = (name: string, by: (known: Flow) => Flow) => {
    flows.set(name, by(flows.get(name) ?? anything(name)))
  }
  for (const statement of statements) {
    if (statement.kind === 'action') narrowByPatterns(statement.pipeline.commands, narrow)
  }
  if (portable) return flows
  for (const input of discoverInputs(statements).declarations) {
    narrow(input.name, (known) => narrowed(known, input))
  }
  return flows
}

type Narrow = (name: string, by: (known: Flow) => Flow) => void

function narrowByPatterns([first, ...others]: readonly CallNode[], narrow: Narrow): void {
  const field = first?.words.length === 1 ? first.words[0] : undefined
  if (field?.kind !== 'field' || field.names.length !== 1) return
  const name = decodeText(field.names[0] ?? '')
  for (const command of others) {
    const [callee, argument] = command.words
    if (callee.kind !== 'identifier' || !KEEPING.has(callee.name)) return
    if (callee.name === 'pattern' && argument?.kind === 'string')
      narrow(name, (known) => through(command, known))
  }
}

function through(command: CallNode, known: Flow): Flow {
  return commandFlow(command, known, {
    parameters: new Map(),
    variables: new Variables<Flow>(),
    dot: undefined,
    onVariable: () => undefined,
  })
}

function narrowed(known: Flow, { options = [], type }: Input): Flow {
  // The value is one of the options, which the author wrote.
  if (options.length > 0) return { from: new Set(), characters: new Set() }
  const form = FORMS[type]
  if (form === undefined || known.from.size === 0) return known
  return {
    ...known,
    characters: known.characters === undefined ? form : intersection(known.characters, form),
    isNumber: known.isNumber === true || type === 'number',
  }
}
