/**
 * Lets the terminal create `<style>` elements. The content security policy forbids them: text that becomes a
 * style can make a page leak data. While a terminal is open, such an element is a stand-in whose text goes
 * into a sheet that the page has adopted. The policy allows such sheets to scripts of the page
 * (docs/decisions/0014).
 * @returns a function that restores everything
 */
export function adoptStyles(): () => void {
  const sheets: CSSStyleSheet[] = []
  const { createElement } = document as { createElement: Create }
  const create: Create = (name, options) => createElement.call(document, name, options)
  const standIn: Create = (name, options) => {
    if (name === 'style') return styleElement(create, sheets)
    const element = create(name, options)
    // A cell of any of 16 million colours, or a selected one, has a style of its own.
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

/** Sets styles by the object model, which the policy allows to scripts. */
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
