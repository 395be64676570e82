/**
 * Keeps the focus in the view when an action removes the button that had it, or disables it for a moment.
 * Without this the browser moves the focus to the document, and a screen reader says nothing.
 */
export function keepFocus(page: HTMLElement): void {
  let last: HTMLElement | undefined
  /** Recorded with the focus, because an element that is gone has no parents. */
  let around: readonly HTMLElement[] = []
  const take = (one: EventTarget | null) => {
    last = one instanceof HTMLElement && one !== document.body ? one : undefined
    around = last === undefined ? [] : focusableAround(last)
  }
  // A click beside all controls takes the focus away on purpose.
  page.addEventListener('pointerdown', () => take(null), { capture: true })
  page.addEventListener('focusin', ({ target }) => take(target))
  new MutationObserver(() => {
    if (last === undefined || document.activeElement !== document.body) return
    if (last.isConnected && !last.checkVisibility()) return take(null)
    // It may be disabled only while its action goes on.
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
