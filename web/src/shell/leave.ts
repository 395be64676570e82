import { signOut } from '../api/gateway.ts'
import { signedOut } from '../api/person.ts'
import { go } from '../parts/router.ts'

/** Signs out, even when the gateway does not answer. */
export function leave(): void {
  const out = () => {
    signedOut()
    go('/sign-in')
  }
  signOut().then(out, out)
}
