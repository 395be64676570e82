import { signOut } from '../api/gateway.ts'
import { signedOut } from '../api/person.ts'
import { forgetKeptScripts } from '../parts/kept-scripts.ts'
import { go } from '../parts/router.ts'

/** Signs out, even when the gateway does not answer. The scripts that the browser keeps are removed. */
export function leave(): void {
  const out = () => {
    forgetKeptScripts()
    signedOut()
    go('/sign-in')
  }
  signOut().then(out, out)
}
