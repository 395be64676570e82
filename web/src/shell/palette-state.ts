import { signal } from '@preact/signals'

/** The code of the search (shell/palette.tsx) is loaded when the user opens it for the first time. */
export const isPaletteOpen = signal(false)

export function openPalette(): void {
  isPaletteOpen.value = true
}
