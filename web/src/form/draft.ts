import { useEffect, useMemo, useState } from 'preact/hooks'
import type { RunbookItem } from '../api/types.ts'
import { initialValues, parametersOf, type Parameter, type Values } from './parameters.ts'
import { loadPatterns, matchesPattern } from './patterns.ts'
import { problemOf } from './rules.ts'

/** What is typed into the form of a runbook. */
export interface Draft {
  readonly parameters: readonly Parameter[]
  readonly values: Values
  readonly set: (name: string, value: string) => void
  /** What is wrong with a parameter, once it was left or somebody has wanted to run it. */
  readonly problem: (parameter: Parameter) => string | undefined
  readonly leave: (name: string) => void
  /** Shows every problem. @returns whether there is none */
  readonly check: () => boolean
  /** What is sent. */
  readonly sent: () => Values
}

/** @param earlier what the fields begin with */
export function useDraft(item: RunbookItem, earlier: Values): Draft {
  const parameters = useMemo(() => [...parametersOf(item), ...inBlocks(item)], [item])
  const [values, setValues] = useState<Values>(() => initialValues(parameters, earlier))
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => {
    if (parameters.some(({ pattern }) => pattern !== undefined)) void loadPatterns()
  }, [parameters])
  const problemIn = (parameter: Parameter) =>
    problemOf(parameter, values[parameter.name] ?? '', matchesPattern)
  return {
    parameters,
    values,
    set: (name, value) => setValues((before) => ({ ...before, [name]: value })),
    problem: (parameter) => (left.has(parameter.name) ? problemIn(parameter) : undefined),
    leave: (name) => setLeft((before) => new Set([...before, name])),
    check: () => {
      setLeft(new Set(parameters.map(({ name }) => name)))
      return parameters.every((parameter) => problemIn(parameter) === undefined)
    },
    sent: () => sentValues(item, values),
  }
}

/** Names that only a block of the template uses: nothing is declared of them. */
function inBlocks({ metadata, used_names: used = [] }: RunbookItem): Parameter[] {
  return used
    .filter((name) => !Object.hasOwn(metadata, name))
    .map((name) => ({
      name,
      ...{ type: 'text', required: false, description: 'The runbook may use it.', default: undefined },
      ...{ placeholder: '', pattern: undefined, options: [], minLength: undefined, maxLength: undefined },
    }))
}

/** A parameter that is declared has to be there, empty or not. */
function sentValues({ metadata }: RunbookItem, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => value !== '' || Object.hasOwn(metadata, name)),
  )
}
