import { useEffect, useState } from 'preact/hooks'
import { person } from '../api/person.ts'

/**
 * Stores a short form in the tab, so that it survives a reload, the back button and the end of a sign-in.
 * Another user who signs in here does not get the values. Must not be used for secrets.
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
    // If storage is not available, only the draft is lost.
  }
}
