import koffi from 'koffi'

/** Of this process itself, whatever C library it runs on. */
const libc = koffi.load(null)

/** The structure has 60 bytes on Linux, 72 on macOS; it is only passed around. */
const TERMIOS_BYTES = 256
/** At once: a terminal that takes no output would hold us for ever. */
const TCSANOW = 0

const call = {
  get: libc.func('int tcgetattr(int fd, void *termios)'),
  set: libc.func('int tcsetattr(int fd, int actions, void *termios)'),
  makeRaw: libc.func('void cfmakeraw(void *termios)'),
} as const

/**
 * Puts a terminal into raw mode: every byte passes through it as it is. Node's own raw mode goes on changing line
 * ends on their way to the screen, which moves the cursor of full-screen programs.
 * @returns what brings back the mode that it was in
 */
export function makeRaw(fd: number): () => void {
  const before = Buffer.alloc(TERMIOS_BYTES)
  if (call.get(fd, before) !== 0) throw new Error(`descriptor ${fd} is no terminal`)
  const raw = Buffer.from(before)
  call.makeRaw(raw)
  call.set(fd, TCSANOW, raw)
  return () => void call.set(fd, TCSANOW, before)
}
