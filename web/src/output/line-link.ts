import { computed } from '@preact/signals'
import { hash } from '../parts/router.ts'

/** The line that the address names. `#L12` means the twelfth line. */
export const lineInAddress = computed(() => {
  const [, digits] = /^#L([1-9]\d{0,9})$/.exec(hash.value) ?? []
  return digits === undefined ? undefined : Number(digits)
})

/** Returns a link to a line of the present view, for other people. */
export function linkToLine(line: number): string {
  return `${location.origin}${location.pathname}${location.search}#L${line}`
}
