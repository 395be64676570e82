import { computed } from '@preact/signals'
import { hash } from '../parts/router.ts'

/** `#L12` in the address is the twelfth line. */
export const lineInAddress = computed(() => {
  const [, digits] = /^#L([1-9]\d{0,9})$/.exec(hash.value) ?? []
  return digits === undefined ? undefined : Number(digits)
})

/** A link for other people to a line of the present view. */
export function linkToLine(line: number): string {
  return `${location.origin}${location.pathname}${location.search}#L${line}`
}
