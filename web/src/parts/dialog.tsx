import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface DialogProps {
  readonly title: ComponentChildren
  /** Called for Escape, or for a click outside. */
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/**
 * A modal question, open while it is drawn. The focus begins at the element with `autofocus`, otherwise at
 * the first button, and returns afterwards to where it was. Its buttons name their effects; the button
 * without an effect comes first.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const { current } = dialog
    const before = document.activeElement
    current?.showModal()
    // The focus may be at the end of a dialog that is higher than the window.
    current?.scrollTo(0, 0)
    return () => {
      current?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class="dialog"
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
