import koffi from 'koffi'

/** The C library that this process has loaded: glibc or another library. */
const libc = koffi.load(null)

/** The structure has 60 bytes on Linux, 72 on macOS. This code never reads its members. */
const TERMIOS_BYTES = 256
/** Does not wait for pending output: a terminal that accepts none would block for ever. */
const TCSANOW = 0

const call = {
  get: libc.func('int tcgetattr(int fd, void *termios)'),
  set: libc.func('int tcsetattr(int fd, int actions, void *termios)'),
  makeRaw: libc.func('void cfmakeraw(void *termios)'),
} as const

/**
 * Node's own raw mode still changes line ends in the output, which moves the cursor of full-screen programs.
 * Returns a function that restores the previous mode.
 */
export function makeRaw(fd: number): () => void {
  const before = Buffer.alloc(TERMIOS_BYTES)
  if (call.get(fd, before) !== 0) throw new Error(`descriptor ${fd} is no terminal`)
  const raw = Buffer.from(before)
  call.makeRaw(raw)
  call.set(fd, TCSANOW, raw)
  return () => void call.set(fd, TCSANOW, before)
}
