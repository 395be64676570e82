import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { adoptStyles } from './adopted-styles.ts'

/** Lines that can be scrolled back to. */
const SCROLLBACK = 5000

export interface Screen extends Disposable {
  readonly terminal: Terminal
  readonly fit: () => void
}

/** A terminal in an element. Its own colours: programs are made for a dark ground. */
export function openScreen(parent: HTMLElement, options: { readonly isRead: boolean }): Screen {
  const giveBack = adoptStyles()
  const terminal = new Terminal({
    fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
    fontSize: 14,
    scrollback: SCROLLBACK,
    screenReaderMode: !options.isRead,
    disableStdin: options.isRead,
    minimumContrastRatio: 4.5,
    // A link that a program writes stays text: its address may not be what it says.
    linkHandler: { activate: () => undefined, allowNonHttpProtocols: false },
  })
  const fitting = new FitAddon()
  terminal.loadAddon(fitting)
  terminal.open(parent)
  return {
    terminal,
    fit: () => fitting.fit(),
    [Symbol.dispose]: () => {
      terminal.dispose()
      giveBack()
    },
  }
}
