/** Returns the day in the user's time zone, as `2026-12-01`. */
export function dayText(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}
