import { ask } from '../../api/request.ts'
import { useAction } from '../../parts/action.ts'
import { Icon } from '../../parts/icon.tsx'
import { Note, Problem } from '../../parts/messages.tsx'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'

interface Removed {
  readonly kept: string | null
}

/** Says what of the first start is made up, and removes it by one click. */
export default function Examples({ onRemoved }: { readonly onRemoved: () => void }) {
  const { busy, error, act } = useAction(onRemoved)
  const remove = () =>
    act(async () => {
      const { kept } = await ask<Removed>('DELETE', '/api/examples')
      const rest = kept === null ? '' : ` The folder ${visible(kept)} has changes, and stays.`
      toast(`The examples are removed. Their sessions stay in the history.${rest}`)
    })
  return (
    <>
      <Note tone="live" title="The first start made examples.">
        <p>
          They run for real, in a made-up shop: connections, a user, a schedule and runbooks whose names begin
          with <code>example-</code>.
        </p>
        <button type="button" class="button is-small" disabled={busy} onClick={remove}>
          <Icon name="cross" small />
          Remove the examples
        </button>
      </Note>
      {error !== undefined && <Problem error={error} />}
    </>
  )
}
