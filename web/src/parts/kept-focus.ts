/**
 * Keeps the focus in the view when an action removes or disables the focused button. Otherwise it would move
 * to the document, and a screen reader would read nothing.
 */
export function keepFocus(page: HTMLElement): void {
  let last: HTMLElement | undefined
  /** Recorded with the focus, because a removed element has no parents. */
  let around: readonly HTMLElement[] = []
  const take = (one: EventTarget | null) => {
    last = one instanceof HTMLElement && one !== document.body ? one : undefined
    around = last === undefined ? [] : focusableAround(last)
  }
  // A click outside all controls removes the focus on purpose.
  page.addEventListener('pointerdown', () => take(null), { capture: true })
  // Tab moves the focus in two steps, and the form may be rendered between them: a required field shows its
  // problem when the focus leaves it. The focus must not return to that field.
  // `blur` comes before that rendering, `focusout` after it.
  page.addEventListener('blur', ({ relatedTarget }) => relatedTarget !== null && take(null), {
    capture: true,
  })
  page.addEventListener('focusin', ({ target }) => take(target))
  new MutationObserver(() => {
    if (last === undefined || document.activeElement !== document.body) return
    if (last.isConnected && !last.checkVisibility()) return take(null)
    // A button that is still in the page may be disabled only while its action runs. The focus returns to it
    // afterwards.
    const next = last.isConnected ? last : around.find((one) => one.isConnected)
    if (next !== undefined && !next.matches(':disabled')) next.focus({ preventScroll: true })
  }).observe(page, { childList: true, subtree: true, attributeFilter: ['disabled'] })
}

function focusableAround(one: HTMLElement): HTMLElement[] {
  const found: HTMLElement[] = []
  for (let at = one.parentElement; at !== null; at = at.parentElement)
    if (at.hasAttribute('tabindex')) found.push(at)
  return found
}
