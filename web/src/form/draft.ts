import { useEffect, useMemo, useState } from 'preact/hooks'
import type { RunbookItem } from '../api/types.ts'
import { initialValues, labelOf, parametersOf, type Parameter, type Values } from './parameters.ts'
import { loadPatterns, matchesPattern } from './patterns.ts'
import { problemOf } from './rules.ts'

/** The values typed into the form of a runbook. */
export interface Draft {
  readonly parameters: readonly Parameter[]
  readonly values: Values
  readonly set: (name: string, value: string) => void
  /** Returns the problem with the value, but only after the user has left the field or tried to run. */
  readonly problem: (parameter: Parameter) => string | undefined
  readonly leave: (name: string) => void
  /** Labels of parameters without a value that they need. */
  readonly missing: readonly string[]
  /** Labels of parameters with a value that is not as it has to be. */
  readonly wrong: readonly string[]
  /** Shows every problem. Returns true when there is no problem. */
  readonly check: () => boolean
  /** Returns the values to send. */
  readonly sent: () => Values
  /**
   * Returns the values of `sent` that have no problem. Returns undefined if one of the others is optional: without it
   * the runbook would do something else.
   */
  readonly known: () => Values | undefined
}

/** `earlier` has the values of an earlier run. The form begins with these values. */
export function useDraft(item: RunbookItem, earlier: Values): Draft {
  const parameters = useMemo(() => parametersOf(item), [item])
  const [values, setValues] = useState<Values>(() => initialValues(parameters, earlier))
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => {
    if (parameters.some(({ pattern }) => pattern !== undefined)) void loadPatterns()
  }, [parameters])
  const problemIn = (parameter: Parameter) =>
    problemOf(parameter, values[parameter.name] ?? '', matchesPattern)
  const unfit = () => parameters.filter((parameter) => problemIn(parameter) !== undefined)
  return {
    parameters,
    values,
    set: (name, value) => setValues((before) => ({ ...before, [name]: value })),
    problem: (parameter) => (left.has(parameter.name) ? problemIn(parameter) : undefined),
    missing: unfit()
      .filter(({ name }) => !values[name])
      .map(labelOf),
    wrong: unfit()
      .filter(({ name }) => values[name])
      .map(labelOf),
    leave: (name) => setLeft((before) => new Set([...before, name])),
    check: () => {
      setLeft(new Set(parameters.map(({ name }) => name)))
      return unfit().length === 0
    },
    sent: () => sentValues(item, values),
    known: () => {
      const isNeeded = ({ name, default: proposed = '' }: Parameter) =>
        Object.hasOwn(item.metadata, name) && proposed === ''
      if (!unfit().every(isNeeded)) return undefined
      const names = new Set(unfit().map(({ name }) => name))
      return Object.fromEntries(Object.entries(sentValues(item, values)).filter(([name]) => !names.has(name)))
    },
  }
}

/** A declared parameter must be sent, even when its value is empty. */
function sentValues({ metadata }: RunbookItem, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => value !== '' || Object.hasOwn(metadata, name)),
  )
}
