import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface DialogProps {
  readonly title: ComponentChildren
  /** Called for Escape, or for a click outside. */
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/**
 * A modal dialog, open as long as it is rendered. The focus moves to the element with `autofocus`, otherwise
 * to the first button, and later returns to its old place. Labels of buttons name the effect, and the first
 * button must change nothing.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const { current } = dialog
    const before = document.activeElement
    current?.showModal()
    // In a dialog taller than the window, the focus may have scrolled to the end.
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
