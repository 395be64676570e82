import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { adoptStyles } from './adopted-styles.ts'

const SCROLLBACK = 5000
/** Lower rows would cut off underscores: letters of 14 px need more than 16. */
const LINE_HEIGHT = 1.2

export const FONT_SIZES = [10, 12, 14, 16, 18, 22, 28] as const
export const USUAL_FONT_SIZE = 14

export interface Screen extends Disposable {
  readonly terminal: Terminal
  readonly fit: () => void
  /** Searches on from the last hit. @returns whether the text was found */
  readonly find: (text: string, isBackwards: boolean) => boolean
}

interface ScreenOptions {
  readonly isRead: boolean
  readonly fontSize?: number
}

/** Opens a terminal in an element. It has its own colours: programs expect a dark background. */
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
    // A link whose address a program hides under another text stays text.
    linkHandler: { activate: () => undefined, allowNonHttpProtocols: false },
  })
  const [fitting, searching] = [new FitAddon(), new SearchAddon()]
  terminal.loadAddon(fitting)
  terminal.loadAddon(searching)
  // A visible address is a link that opens exactly this address, in another tab without access to this one.
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
