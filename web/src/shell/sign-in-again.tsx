import { useState } from 'preact/hooks'
import { waitingForSignIn } from '../api/fresh.ts'
import { signIn } from '../api/gateway.ts'
import { person, signedIn } from '../api/person.ts'
import { TextField } from '../form/text-field.tsx'
import { useAction } from '../parts/action.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Problem } from '../parts/messages.tsx'
import { toast } from '../parts/toasts.tsx'
import { visible } from '../parts/visible.ts'
import { useHasAccounts, WithAccount } from '../views/sign-in.tsx'

/** Asks for a new sign-in in a dialog above the view, and then sends the waiting request. */
export default function SignInAgain() {
  const waiting = waitingForSignIn.value
  const [token, setToken] = useState('')
  const { busy, error, act } = useAction(() => undefined)
  const hasAccounts = useHasAccounts()
  if (waiting === undefined) return null
  const submit = (event: Event) => {
    event.preventDefault()
    act(() => signInAgain(token.trim()))
  }
  return (
    <Dialog title="Sign in again" onClose={waiting.giveUp}>
      <p>
        You can change users and tokens only within ten minutes after you sign in. Your change is made
        immediately after you sign in again.
      </p>
      {error !== undefined && <Problem error={error} />}
      {hasAccounts && <WithAccount />}
      <form class="stack" onSubmit={submit}>
        <TextField
          label="Token"
          hint={`Use a token of ${visible(person.value?.name ?? '')}.`}
          type="password"
          value={token}
          onValue={setToken}
          required
          autoFocus
        />
        <div class="line">
          <button type="button" class="button push" onClick={waiting.giveUp}>
            Cancel
          </button>
          <button class={hasAccounts ? 'button' : 'button is-primary'} disabled={busy || token.trim() === ''}>
            Sign in and continue
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/**
 * Signs in and sends the waiting request. If the token belongs to another person, drops the request and signs
 * in this person.
 */
async function signInAgain(token: string): Promise<void> {
  const before = person.peek()?.name
  const waiting = waitingForSignIn.peek()
  const who = await signIn({ token })
  signedIn(who)
  if (who.name === before) return waiting?.goOn()
  waiting?.giveUp()
  toast(`You are signed in as ${visible(who.name)} now. Nothing was changed`, {
    tone: 'wait',
    icon: 'user',
  })
}
