import { render } from 'preact'
import { takeReturn } from './api/fresh.ts'
import { readPerson } from './api/gateway.ts'
import { signedIn, signedOut } from './api/person.ts'
import type { Person } from './api/types.ts'
import { firstPerson } from './first.ts'
import { Page } from './page.tsx'
import { placeSprite } from './parts/icon.tsx'
import { keepFocus } from './parts/kept-focus.ts'
import { followLinks, go } from './parts/router.ts'
import { applyTheme } from './parts/theme.tsx'
import { nameWindow } from './shell/window-name.ts'
import { takeCode } from './views/sign-in.tsx'
import './styles/page.css'

const place = document.getElementById('page')
const code = takeCode()
applyTheme()
placeSprite()
nameWindow()
followLinks()
if (place !== null) {
  render(<Page code={code} />, place)
  keepFocus(place)
}
// A one-time link is for one user, so a signed-in user is signed out first.
if (code !== undefined) signedOut()
else firstPerson.then((who) => who ?? readPerson()).then(begin, () => signedOut())

/** A provider redirects to `/`, so the view from before the sign-in is shown again. */
function begin(who: Person): void {
  signedIn(who)
  const left = location.pathname === '/' ? takeReturn() : undefined
  if (left !== undefined && left !== '/sign-in') go(left)
}
