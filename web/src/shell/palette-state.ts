import { signal } from '@preact/signals'

/** The code of the search (shell/palette.tsx) is loaded when the user opens it for the first time. */
export const isPaletteOpen = signal(false)

export interface PaletteProps {
  /** What the user typed while the search was loaded. */
  readonly typed: string
}

export function openPalette(): void {
  isPaletteOpen.value = true
}
