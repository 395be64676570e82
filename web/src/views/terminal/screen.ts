import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { adoptStyles } from './adopted-styles.ts'

const SCROLLBACK = 5000
/**
 * Height of a row, as a factor of the font size. A smaller value cuts off underscores. For example, a font of
 * 14 px needs rows of more than 16 px.
 */
const LINE_HEIGHT = 1.2

export const FONT_SIZES = [10, 12, 14, 16, 18, 22, 28] as const
export const USUAL_FONT_SIZE = 14

export interface Screen extends Disposable {
  readonly terminal: Terminal
  readonly fit: () => void
  /** Searches from the last hit. Returns whether the text was found. */
  readonly find: (text: string, isBackwards: boolean) => boolean
}

interface ScreenOptions {
  readonly isRead: boolean
  readonly fontSize?: number
}

/** Opens a screen. The screen is always dark, because programs expect a dark background. */
export function openScreen(
  parent: HTMLElement,
  { isRead, fontSize = USUAL_FONT_SIZE }: ScreenOptions,
): Screen {
  const giveBack = adoptStyles()
  const terminal = new Terminal({
    fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
    fontSize,
    lineHeight: LINE_HEIGHT,
    scrollback: SCROLLBACK,
    screenReaderMode: !isRead,
    disableStdin: isRead,
    minimumContrastRatio: 4.5,
    theme: { background: '#0b1214', foreground: '#e9e6dd', cursor: '#f2ab33', cursorAccent: '#0b1214' },
    // A program can show a link under another text (OSC 8). Such links do nothing, because users cannot see
    // the address.
    linkHandler: { activate: () => undefined, allowNonHttpProtocols: false },
  })
  const [fitting, searching] = [new FitAddon(), new SearchAddon()]
  terminal.loadAddon(fitting)
  terminal.loadAddon(searching)
  // An address in the output is a link. It opens in a new tab that has no access to this tab.
  terminal.loadAddon(new WebLinksAddon((_, address) => window.open(address, '_blank', 'noopener,noreferrer')))
  terminal.open(parent)
  return {
    terminal,
    fit: () => fitting.fit(),
    find: (text, isBackwards) => (isBackwards ? searching.findPrevious(text) : searching.findNext(text)),
    [Symbol.dispose]: () => {
      terminal.dispose()
      giveBack()
    },
  }
}
