import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface DialogProps {
  readonly title: ComponentChildren
  /** Set for a dialog with a table. */
  readonly isWide?: true
  /** Called for Escape, or for a click outside. */
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/**
 * A modal dialog, which is open as long as it is rendered. The focus moves to the element with `autofocus`,
 * or else to the first button. After the dialog the focus returns to its old place. The label of a button
 * names the button's effect, and the first button must change nothing.
 */
export function Dialog({ title, isWide, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const { current } = dialog
    const before = document.activeElement
    current?.showModal()
    // If the dialog is taller than the window, the focus may have scrolled the dialog to its end. So the
    // dialog is scrolled back to its start.
    current?.scrollTo(0, 0)
    return () => {
      current?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={isWide ? 'dialog is-wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div class="card-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}
