import { useState } from 'preact/hooks'
import { TextField } from '../../form/text-field.tsx'
import { FormDialog } from '../../parts/form-dialog.tsx'
import { Note } from '../../parts/messages.tsx'
import { toast } from '../../parts/toasts.tsx'
import { MOST_SAVED, saveScript, whyNotKept, type SavedScript } from './kept.ts'

interface SaveDialogProps {
  readonly connection: string
  readonly text: string
  readonly saved: readonly SavedScript[]
  readonly onSaved: () => void
  readonly onClose: () => void
}

/** Keeps a script in the browser under a name. */
export function SaveDialog({ connection, text, saved, onSaved, onClose }: SaveDialogProps) {
  const [name, setName] = useState('')
  const why = whyNotKept(text)
  const wanted = name.trim()
  const replaces = saved.some((one) => one.name === wanted && one.connection === connection)
  const isFull = saved.length >= MOST_SAVED && !replaces
  const save = () => {
    if (!saveScript({ name: wanted, connection, text })) {
      toast('The script is not saved: the browser has no room, or you have signed out in another tab.', {
        tone: 'bad',
        icon: 'alert',
      })
      return
    }
    toast('The script is saved in this browser.')
    onSaved()
    onClose()
  }
  return (
    <FormDialog
      title="Save in this browser"
      error={undefined}
      action={replaces ? 'Replace' : 'Save'}
      disabled={wanted === '' || why !== undefined}
      onSubmit={save}
      onClose={onClose}
    >
      {why === undefined ? (
        <TextField
          label="Name"
          value={name}
          onValue={(next) => setName(next.slice(0, 80))}
          hint="The browser keeps the script for this connection until you sign out."
          required
          autoFocus
        />
      ) : (
        <Note tone="wait" title="This browser does not keep this script">
          <p>The reason is that {why}.</p>
        </Note>
      )}
      {isFull && why === undefined && (
        <Note tone="wait">The browser keeps {MOST_SAVED} scripts. The oldest one is removed.</Note>
      )}
    </FormDialog>
  )
}
