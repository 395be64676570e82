import { useState } from 'preact/hooks'

/** A choice that the browser stores, and its setter. */
export function useKept(name: string, usual: boolean): [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => (localStorage.getItem(name) ?? String(usual)) === 'true')
  const change = (next: boolean) => {
    localStorage.setItem(name, String(next))
    setValue(next)
  }
  return [value, change]
}
