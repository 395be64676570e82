import { useState } from 'preact/hooks'

/** Returns a choice that the browser stores, and a function that sets it. */
export function useKept(name: string, usual: boolean): [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => (localStorage.getItem(name) ?? String(usual)) === 'true')
  const change = (next: boolean) => {
    localStorage.setItem(name, String(next))
    setValue(next)
  }
  return [value, change]
}
