import { signal } from '@preact/signals'

/**
 * Whether the search over everything is open. Its code (shell/palette.tsx) is loaded when the user opens it
 * for the first time.
 */
export const isPaletteOpen = signal(false)

export function openPalette(): void {
  isPaletteOpen.value = true
}
