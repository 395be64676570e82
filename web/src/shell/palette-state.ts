import { signal } from '@preact/signals'

/** Whether the search over everything is open. Its code is loaded when it is opened first (shell/palette.tsx). */
export const isPaletteOpen = signal(false)

export function openPalette(): void {
  isPaletteOpen.value = true
}
