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
  /** Labels of parameters whose values are missing, or not yet as they have to be. */
  readonly missing: readonly string[]
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
  return {
    parameters,
    values,
    set: (name, value) => setValues((before) => ({ ...before, [name]: value })),
    problem: (parameter) => (left.has(parameter.name) ? problemIn(parameter) : undefined),
    missing: parameters.filter((parameter) => problemIn(parameter) !== undefined).map(labelOf),
    leave: (name) => setLeft((before) => new Set([...before, name])),
    check: () => {
      setLeft(new Set(parameters.map(({ name }) => name)))
      return parameters.every((parameter) => problemIn(parameter) === undefined)
    },
    sent: () => sentValues(item, values),
    known: () => {
      const unknown = parameters.filter((parameter) => problemIn(parameter) !== undefined)
      const isNeeded = ({ name, default: proposed = '' }: Parameter) =>
        Object.hasOwn(item.metadata, name) && proposed === ''
      if (!unknown.every(isNeeded)) return undefined
      const names = new Set(unknown.map(({ name }) => name))
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
