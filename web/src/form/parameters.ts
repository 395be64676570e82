import type { RunbookItem } from '../api/types.ts'

export interface Parameter {
  readonly name: string
  readonly type: string
  readonly required: boolean
  /** The author's text for an empty value. */
  readonly requiredText: string | undefined
  readonly description: string
  readonly default: string | undefined
  readonly placeholder: string
  readonly pattern: string | undefined
  readonly options: readonly string[]
  /** The parameter with a list of values: the parameter that chooses among the values, if there is one. */
  readonly optionsFrom?: { readonly of: string | undefined } | undefined
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
}

export type Values = Readonly<Record<string, string>>

/**
 * Returns the parameters in the order in which the runbook asks for them. Parameters that only a block of the
 * runbook uses come last. They may be empty, because the runbook may not reach the block.
 */
export function parametersOf({ metadata, block_metadata: inBlocks = {} }: RunbookItem): Parameter[] {
  const optional = Object.entries(inBlocks).map(([name, declared]) => ({
    ...parameterOf(name, declared),
    required: false,
  }))
  return [...inOrder(metadata), ...optional]
}

function inOrder(metadata: RunbookItem['metadata']): Parameter[] {
  const ordered = Object.entries(metadata).map(([name, declared], index) => ({
    parameter: parameterOf(name, declared),
    order: typeof declared['order'] === 'number' ? declared['order'] : Infinity,
    index,
  }))
  ordered.sort((a, b) => (a.order === b.order ? a.index - b.index : a.order - b.order))
  return ordered.map(({ parameter }) => parameter)
}

function parameterOf(name: string, declared: Readonly<Record<string, unknown>>): Parameter {
  const text = (field: string) => {
    const value = declared[field]
    return typeof value === 'string' ? value : undefined
  }
  const { options, options_from: from } = declared
  return {
    name,
    type: text('type') ?? 'text',
    required: declared['required'] === true,
    requiredText: text('required_text'),
    description: text('description') ?? '',
    default: text('default'),
    placeholder: text('placeholder') ?? '',
    pattern: text('pattern'),
    options: Array.isArray(options) ? options.filter((one) => typeof one === 'string') : [],
    optionsFrom: optionsFrom(from),
    minLength: lengthOf(text('minlength')),
    maxLength: lengthOf(text('maxlength')),
  }
}

function optionsFrom(from: unknown): Parameter['optionsFrom'] {
  if (typeof from !== 'object' || from === null) return undefined
  const { of } = from as { readonly of?: unknown }
  return { of: typeof of === 'string' ? of : undefined }
}

function lengthOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Returns the value of an earlier run for each parameter, or else the default. */
export function initialValues(parameters: readonly Parameter[], earlier: Values): Values {
  return Object.fromEntries(
    parameters.map(({ name, default: proposed }) => [name, earlier[name] ?? proposed ?? '']),
  )
}

/** Longest description that is a label. A longer one stands below the name. */
const MAX_LABEL_CHARACTERS = 60

/** Returns the description if it can stand as a label, and otherwise the name. */
export function labelOf({ name, description }: Parameter): string {
  const isLabel =
    description !== '' && description.length <= MAX_LABEL_CHARACTERS && !/[\r\n]/.test(description)
  return isLabel ? description : name
}
