import { useEffect, useState } from 'preact/hooks'
import { person } from '../api/person.ts'

/**
 * What is typed into a short form, kept in the tab: a reload, the way back and the end of a sign-in lose nothing, and
 * nobody else who signs in here gets it. Not for secrets.
 */
export function useTabDraft<Values extends object>(name: string, initial: Values) {
  const key = JSON.stringify(['form', person.peek()?.name ?? '', name])
  const [values, setValues] = useState<Values>(() => ({ ...initial, ...kept(key) }))
  useEffect(() => keep(key, values), [key, values])
  return {
    values,
    set: (changed: Partial<Values>) => setValues((before) => ({ ...before, ...changed })),
    forget: () => sessionStorage.removeItem(key),
  }
}

function kept(key: string): object {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '{}') as object
  } catch {
    return {}
  }
}

function keep(key: string, values: object): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(values))
  } catch {
    // A browser that keeps nothing loses nothing else.
  }
}
