import koffi from 'koffi'

/** The C library that this process has loaded: glibc or another library. */
const libc = koffi.load(null)

/**
 * Size of a buffer for the structure, which has 60 bytes on Linux and 72 on macOS. This code never reads its
 * members.
 */
const TERMIOS_BYTES = 256
/**
 * With this value, the call does not wait for pending output. A terminal that accepts no output would block
 * such a wait for ever.
 */
const TCSANOW = 0

const call = {
  get: libc.func('int tcgetattr(int fd, void *termios)'),
  set: libc.func('int tcsetattr(int fd, int actions, void *termios)'),
  makeRaw: libc.func('void cfmakeraw(void *termios)'),
} as const

/**
 * Makes a terminal raw. Node's own raw mode still changes line ends in the output, which moves the cursor of
 * full-screen programs. Returns a function that restores the previous mode.
 */
export function makeRaw(fd: number): () => void {
  const before = Buffer.alloc(TERMIOS_BYTES)
  if (call.get(fd, before) !== 0) throw new Error(`descriptor ${fd} is no terminal`)
  const raw = Buffer.from(before)
  call.makeRaw(raw)
  call.set(fd, TCSANOW, raw)
  return () => void call.set(fd, TCSANOW, before)
}
