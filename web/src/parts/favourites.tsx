import { signal } from '@preact/signals'
import { Icon } from './icon.tsx'

const KEPT = 'runbook-page-favourites'
/** Maximum number of favourites, because users lose track of a longer list. */
const MAX_FAVOURITES = 20

/** A runbook that the user has marked. */
interface Favourite {
  readonly repository: string
  readonly file: string
}

export const favourites = signal<readonly Favourite[]>(kept())

function kept(): readonly Favourite[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]')
    return Array.isArray(value) ? value.filter(isFavourite).slice(0, MAX_FAVOURITES) : []
  } catch {
    return []
  }
}

function isFavourite(value: unknown): value is Favourite {
  const { repository, file } = (value ?? {}) as Partial<Favourite>
  return typeof repository === 'string' && typeof file === 'string'
}

function isMarked({ repository, file }: Favourite): boolean {
  return favourites.value.some((one) => one.repository === repository && one.file === file)
}

function change(favourite: Favourite): void {
  const { repository, file } = favourite
  const others = favourites.value.filter((one) => one.repository !== repository || one.file !== file)
  favourites.value = isMarked(favourite) ? others : [favourite, ...others].slice(0, MAX_FAVOURITES)
  localStorage.setItem(KEPT, JSON.stringify(favourites.value))
}

interface FavouriteButtonProps extends Favourite {
  readonly title: string
  /** Whether the button has a text. In a row there is only space for the icon. */
  readonly hasWord?: boolean
}

/** Home shows marked runbooks first. */
export function FavouriteButton({ title, hasWord = false, ...favourite }: FavouriteButtonProps) {
  return (
    <button
      type="button"
      class={hasWord ? 'button' : 'button is-small is-icon above'}
      aria-pressed={isMarked(favourite)}
      aria-label={hasWord ? undefined : `Favourite: ${title}`}
      title="Favourite"
      onClick={() => change(favourite)}
    >
      <Icon name="mark" small={!hasWord} />
      {hasWord && 'Favourite'}
    </button>
  )
}
