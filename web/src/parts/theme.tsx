import { signal } from '@preact/signals'
import { Icon } from './icon.tsx'

const KEPT = 'runbook-page-theme'
const THEMES = ['system', 'dark', 'light'] as const
type Theme = (typeof THEMES)[number]

const theme = signal<Theme>(THEMES.find((one) => one === localStorage.getItem(KEPT)) ?? 'system')

/** Applies the theme that the user chose. Without a choice, the setting of the machine applies. */
export function applyTheme(): void {
  if (theme.value === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme.value
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen
  localStorage.setItem(KEPT, chosen)
  applyTheme()
}

export function ThemeButton() {
  const next = () => chooseTheme(THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system')
  return (
    <button
      type="button"
      class="button is-quiet theme"
      onClick={next}
      title="Colours: the machine's setting, dark, or light"
    >
      <Icon name="theme" />
      Theme: {theme.value}
    </button>
  )
}
