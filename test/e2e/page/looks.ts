import type { Page } from 'playwright-core'

// What can be measured of a view as it is drawn. The functions run in the page.

const IS_SHOWN = `(one) => {
  if (one.closest('.said-only, .skip, [hidden]') !== null) return false
  const box = one.getBoundingClientRect()
  return box.width > 1 && box.height > 1 && one.checkVisibility({ visibilityProperty: true })
}`

const NAMED = `(one) => {
  const name = one.getAttribute('aria-label') ?? one.innerText ?? ''
  return one.tagName.toLowerCase() + '.' + one.className + ' "' + name.trim().slice(0, 40) + '"'
}`

/** Buttons, links and fields that something else covers, in the middle of the window. */
const COVERED = `(() => {
  const isShown = ${IS_SHOWN}, named = ${NAMED}
  const open = document.querySelector('dialog[open]') ?? document.body
  const all = open.querySelectorAll('a[href], button, input, select, textarea, summary')
  return [...all].filter(isShown).flatMap((one) => {
    one.scrollIntoView({ block: 'center', inline: 'nearest' })
    const { left, right, top, bottom } = (one.getClientRects()[0] ?? one.getBoundingClientRect())
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
    const isReached = hit !== null && (one.contains(hit) || hit.contains(one) || hit.closest('label')?.control === one)
    return isReached ? [] : [named(one) + ' under ' + (hit === null ? 'nothing: outside' : named(hit))]
  })
})()`

/** Words that go beyond what cuts them, and are not said to be cut by dots. */
const CUT = `(() => {
  const isShown = ${IS_SHOWN}, named = ${NAMED}
  const open = document.querySelector('dialog[open]') ?? document.body
  const walker = document.createTreeWalker(open, NodeFilter.SHOW_TEXT)
  const found = new Set()
  while (walker.nextNode()) {
    const text = walker.currentNode
    const holder = text.parentElement
    if (text.data.trim() === '' || !isShown(holder) || holder.closest('.terminal, .uplot, svg') !== null) continue
    const range = document.createRange()
    range.selectNodeContents(text)
    const boxes = [...range.getClientRects()]
    for (let at = holder; at !== null && at !== document.documentElement; at = at.parentElement) {
      const style = getComputedStyle(at)
      const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY)
      if (scrolls || style.textOverflow === 'ellipsis') break
      if (!/hidden|clip/.test(style.overflowX + style.overflowY)) continue
      const edge = at.getBoundingClientRect()
      if (boxes.some((box) => box.right > edge.right + 1 || box.left < edge.left - 1 || box.bottom > edge.bottom + 3 || box.top < edge.top - 3))
        found.add(named(holder) + ' in ' + at.className)
    }
  }
  return [...found]
})()`

/** Fields that are stretched: none but a text of several lines is higher than this. */
const STRETCHED = `(() => {
  const isShown = ${IS_SHOWN}, named = ${NAMED}
  const all = document.querySelectorAll('.search, .button, select, input:not([type=checkbox], [type=radio])')
  return [...all].filter((one) => isShown(one) && one.getBoundingClientRect().height > 80).map(named)
})()`

/** Pieces of text of which one lies on the other. */
const ON_EACH_OTHER = `(() => {
  const isShown = ${IS_SHOWN}, named = ${NAMED}
  const open = document.querySelector('dialog[open]') ?? document.querySelector('main') ?? document.body
  const walker = document.createTreeWalker(open, NodeFilter.SHOW_TEXT)
  const pieces = []
  const seenOf = (holder, { left, right, top, bottom }) => {
    const seen = { left, right, top, bottom }
    for (let at = holder; at !== null && at !== document.documentElement; at = at.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(at)
      if (overflowX === 'visible' && overflowY === 'visible') continue
      const edge = at.getBoundingClientRect()
      seen.left = Math.max(seen.left, edge.left)
      seen.right = Math.min(seen.right, edge.right)
      seen.top = Math.max(seen.top, edge.top)
      seen.bottom = Math.min(seen.bottom, edge.bottom)
    }
    return seen
  }
  while (walker.nextNode()) {
    const text = walker.currentNode
    const holder = text.parentElement
    if (text.data.trim() === '' || !isShown(holder) || holder.closest('.terminal, .uplot, svg, .bar') !== null) continue
    const range = document.createRange()
    range.selectNodeContents(text)
    for (const box of range.getClientRects()) pieces.push({ holder, box: seenOf(holder, box) })
  }
  const found = new Set()
  for (const [index, one] of pieces.entries())
    for (const other of pieces.slice(index + 1)) {
      if (one.holder === other.holder) continue
      const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left)
      const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top)
      if (wide > 2 && high > 6) found.add(named(one.holder) + ' on ' + named(other.holder))
    }
  return [...found]
})()`

/** Everything that Tab has to come to. */
const STOPS = `(() => {
  const isShown = ${IS_SHOWN}
  const open = document.querySelector('dialog[open]') ?? document.body
  const all = open.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')
  window.stops = [...all].filter((one) => isShown(one) && one.tabIndex >= 0 && !one.disabled)
  return window.stops.length
})()`

/** @returns the number of the stop that has the focus, and whether a person sees that it has */
const FOCUSED = `(() => {
  const one = document.activeElement
  if (one === null || one === document.body) return { at: -1, isSeen: true, name: '' }
  const named = ${NAMED}
  const rings = (element, pseudo) => {
    const style = getComputedStyle(element, pseudo)
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1
  }
  let isSeen = rings(one) || rings(one, '::after') || rings(one, '::before')
  for (let at = one.parentElement; at !== null && !isSeen; at = at.parentElement)
    isSeen = rings(at) && at.matches(':focus-within')
  return { at: window.stops.indexOf(one), isSeen, name: named(one) }
})()`

/** What is cut, covered, or lies on something else, or makes the document wider than the window. */
export async function faultsOfLayout(page: Page): Promise<string[]> {
  const width = page.viewportSize()?.width ?? 0
  const needed = await page.evaluate<number>('document.documentElement.scrollWidth')
  const found = [
    ...(await page.evaluate<string[]>(CUT)).map((one) => `cut: ${one}`),
    ...(await page.evaluate<string[]>(ON_EACH_OTHER)).map((one) => `on each other: ${one}`),
    ...(await page.evaluate<string[]>(STRETCHED)).map((one) => `stretched: ${one}`),
    ...(await page.evaluate<string[]>(COVERED)).map((one) => `covered: ${one}`),
  ]
  return needed > width ? [`${needed} pixels wide`, ...found] : found
}

/** As a person finds a view: long lists hold only the rows in sight, and draw others after a frame. */
const AT_ITS_TOP = `new Promise((done) => {
  for (const one of document.querySelectorAll('*')) if (one.scrollTop > 0) one.scrollTop = 0
  requestAnimationFrame(() => requestAnimationFrame(done))
})`

/** Goes through a view by Tab. @returns what the focus does not come to, and where it is not seen */
export async function faultsOfKeys(page: Page): Promise<string[]> {
  await page.evaluate(AT_ITS_TOP)
  const count = await page.evaluate<number>(STOPS)
  const names = await page.evaluate<string[]>(`window.stops.map(${NAMED})`)
  const reached = new Set<number>()
  const unseen = new Set<string>()
  for (let step = 0; step < count + 10 && reached.size < count; step++) {
    await page.keyboard.press('Tab')
    const { at, isSeen, name } = await page.evaluate<{ at: number; isSeen: boolean; name: string }>(FOCUSED)
    reached.add(at)
    reached.delete(-1)
    if (!isSeen) unseen.add(`focus not seen: ${name}`)
  }
  const missed = names.filter((_, index) => !reached.has(index)).map((name) => `not reached: ${name}`)
  return [...missed, ...unseen]
}
