/**
 * Makes something that adds a `<style>` element once and then only changes its text, as CodeMirror does. The
 * style sheet stays, because the library makes no second one.
 */
export function makeWithStyles<Made>(make: () => Made): Made {
  const keep = adoptStyles()
  const before = [...document.adoptedStyleSheets]
  try {
    return make()
  } finally {
    const added = document.adoptedStyleSheets.filter((sheet) => !before.includes(sheet))
    keep()
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, ...added]
  }
}

/**
 * Lets the terminal use `<style>` elements, which the content security policy forbids. Until the returned
 * function is called, `createElement('style')` returns a replacement that writes its text into an adopted
 * style sheet, which the policy allows (docs/decisions/0014).
 */
export function adoptStyles(): () => void {
  const sheets: CSSStyleSheet[] = []
  const { createElement } = document as { createElement: Create }
  const create: Create = (name, options) => createElement.call(document, name, options)
  const standIn: Create = (name, options) => {
    if (name === 'style') return styleElement(create, sheets)
    const element = create(name, options)
    // xterm.js sets a `style` attribute on a cell that is selected or has a 24-bit colour. The policy forbids
    // this attribute, so the method is replaced.
    if (name === 'span') element.setAttribute = setAttribute
    return element
  }
  Object.defineProperty(document, 'createElement', { value: standIn, configurable: true })
  return () => {
    Reflect.deleteProperty(document, 'createElement')
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.includes(sheet))
  }
}

type Create = (name: string, options?: ElementCreationOptions) => HTMLElement

/** Sets a style by `element.style`, because the policy allows this. */
function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') this.style.cssText = value
  else Element.prototype.setAttribute.call(this, name, value)
}

function styleElement(create: Create, sheets: CSSStyleSheet[]): HTMLElement {
  const element = create('span')
  element.hidden = true
  const sheet = new CSSStyleSheet()
  sheets.push(sheet)
  document.adoptedStyleSheets.push(sheet)
  Object.defineProperty(element, 'textContent', { set: (css: string) => sheet.replaceSync(css) })
  return element
}
