import { readFileSync } from 'node:fs'

/** Soon enough for somebody who has just brought it to the foreground. */
const LOOK_MS = 500

/** Calls back when Enter is pressed in this terminal, until it is disposed. Without a terminal it never does. */
export function atEnter(pressed: () => void): Disposable {
  const { stdin } = process
  if (!stdin.isTTY) return { [Symbol.dispose]: () => undefined }
  const look = () => {
    if (isInForeground()) stdin.resume()
    else stdin.pause()
  }
  stdin.on('data', pressed)
  // `bg` says so; of `fg` a running program hears nothing.
  process.on('SIGCONT', look)
  const timer = setInterval(look, LOOK_MS).unref()
  look()
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer)
      process.off('SIGCONT', look)
      stdin.off('data', pressed).pause()
    },
  }
}

/** The system stops whoever reads from a terminal in the background (`&`, `bg`). Where it cannot be known, it is not. */
function isInForeground(): boolean {
  try {
    // Behind the name: state, parent, group, session, terminal, and the group in its foreground.
    const [, , group, , , foreground] =
      readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return group === foreground
  } catch {
    return true
  }
}
