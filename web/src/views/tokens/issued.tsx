import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { person } from '../../api/person.ts'
import type { IssuedToken } from '../../api/types.ts'
import { copyText } from '../../parts/clipboard.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'

/** A new token stays in memory until the user closes the dialog, even if the sign-in ends before. */
const issued = signal<{ readonly token: IssuedToken; readonly for: string } | undefined>(undefined)

export function showIssued(token: IssuedToken): void {
  issued.value = { token, for: person.peek()?.name ?? '' }
}

/** Shows the text of a new token to the person who created it. */
export function Issued() {
  const shown = issued.value
  if (shown === undefined || shown.for !== person.value?.name) return null
  return <IssuedDialog token={shown.token} key={shown.token.id} />
}

function IssuedDialog({ token: { name, user, token } }: { readonly token: IssuedToken }) {
  const [state, setState] = useState<'new' | 'copied' | 'not copied' | 'leaving'>('new')
  const close = () => (issued.value = undefined)
  const copy = () => {
    copyText(token).then(
      () => setState('copied'),
      () => setState('not copied'),
    )
  }
  return (
    <Dialog
      title={
        <>
          Token <Name>{name}</Name> of <Name>{user}</Name>
        </>
      }
      onClose={() => (state === 'copied' ? close() : setState('leaving'))}
    >
      <p>Copy the token now. It is shown only once, because the gateway does not store it.</p>
      <div class="line nowrap">
        <input
          class="secret"
          aria-label="The token"
          readOnly
          value={token}
          spellcheck={false}
          autocomplete="off"
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button is-primary" autofocus onClick={copy}>
          <Icon name="copy" />
          Copy
        </button>
      </div>
      <div role="status">
        {state === 'copied' && (
          <Note tone="good">
            The token is in the clipboard. Paste it where you need it, then close this dialog.
          </Note>
        )}
        {state === 'not copied' && (
          <Note tone="wait">The browser did not copy the token. Select the text above and press Ctrl+C.</Note>
        )}
        {state === 'leaving' && (
          <Note tone="wait">After you close this dialog, nobody can see this token again.</Note>
        )}
      </div>
      <div class="line">
        <button type="button" class="button push" onClick={close}>
          {state === 'copied' ? 'Close' : 'Close without copying'}
        </button>
      </div>
    </Dialog>
  )
}
