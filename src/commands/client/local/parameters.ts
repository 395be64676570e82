import type { Parameter } from '../../../client/rest/runbooks.ts'
import { declaredLength } from '../../../template/rules.ts'
import type { Input } from '../../../template/runbook.ts'

/** What a template asks for, in the order in which people should be asked: a gateway tells the same of its runbooks. */
export function parametersOf(inputs: readonly Input[]): Parameter[] {
  const order = ({ order = Infinity }: Input) => order
  return [...inputs].sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b))).map(parameterOf)
}

function parameterOf(input: Input): Parameter {
  const { name, type, description = '', placeholder = '', options = [] } = input
  return {
    ...{ name, type, description, placeholder, options },
    required: input.required !== undefined,
    default: textOf(input.default),
    pattern: textOf(input.pattern),
    minLength: declaredLength(input.minlength),
    maxLength: declaredLength(input.maxlength),
  }
}

/** An empty text says nothing. */
function textOf(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
