import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface DialogProps {
  readonly title: ComponentChildren
  /** Escape, or a click beside it. */
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/**
 * A question above the page, as long as it is drawn. The focus begins in it at what has `autofocus`, otherwise at its
 * first button, and goes back to where it was. Its buttons are named after what they do; the one that does nothing
 * comes first.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const { current } = dialog
    const before = document.activeElement
    current?.showModal()
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
