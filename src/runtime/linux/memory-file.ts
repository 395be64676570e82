import koffi from 'koffi'
import { constants } from 'node:os'
import { ErrnoError } from './posix.ts'

const libc = koffi.load('libc.so.6')

const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
const F_ADD_SEALS = 1033
const F_SEAL_SEAL = 1
const F_SEAL_SHRINK = 2
const F_SEAL_GROW = 4
const F_SEAL_WRITE = 8
const FOR_EVER = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE

const call = {
  memfdCreate: libc.func('int memfd_create(const char *name, unsigned int flags)'),
  fcntl: libc.func('int fcntl(int fd, int command, ...)'),
} as const

/**
 * An anonymous file in memory, to be filled and sealed. The child can open it again as /dev/stdin, and reads it from
 * the start. @throws ErrnoError
 */
export function memoryFile(name: string): number {
  const fd = call.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) as number
  if (fd < 0) throw new ErrnoError('memfd_create', koffi.errno())
  return fd
}

/**
 * Makes the file unchangeable. Every process of the same user could otherwise open it through /proc/PID/fd/0, and a
 * shell reads its script while it runs.
 * @throws ErrnoError
 */
export function seal(fd: number): void {
  if (call.fcntl(fd, F_ADD_SEALS, 'int', FOR_EVER) === 0) return
  const errno = koffi.errno()
  // This system has no seals. Linux has had them as long as memory files, but imitations (qemu-user, a kernel without
  // tmpfs) may not. Commands have to run there too.
  if (errno !== constants.errno.EINVAL) throw new ErrnoError('F_ADD_SEALS', errno)
}
