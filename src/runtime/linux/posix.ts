import koffi from 'koffi'
import { closeSync } from 'node:fs'
import { constants } from 'node:os'

/**
 * The calls of libc that Node lacks. koffi makes these calls and needs no compiler. child_process cannot be
 * used, for three reasons:
 * - Its pipes are socketpairs. With socketpairs, `> /dev/stderr` fails in scripts, and bash reads ~/.bashrc.
 * - Its fork blocks the event loop for 1-3 ms.
 * - Its children inherit other descriptors.
 */
const O_CLOEXEC = 0o2000000
const F_SETPIPE_SZ = 1031
const F_SETFD = 2
const FD_CLOEXEC = 1
const FIONREAD = 0x541b
const POLLHUP = 0x10
const IUTF8 = 0o40000
const TCSANOW = 0
/**
 * Size of a buffer for struct termios, which is smaller in every libc. The first member of the struct is
 * c_iflag.
 */
const TERMIOS_BYTES = 256
const WNOHANG = 1
const WEXITED = 4
const WNOWAIT = 0x01000000
const P_ALL = 0
/** Size of siginfo_t in bytes, and the offset of the child's pid in it on every 64-bit Linux. */
const SIGINFO_BYTES = 128
const SIGINFO_PID = 16
const PR_SET_DUMPABLE = 4
const PR_SET_CHILD_SUBREAPER = 36
const RLIMIT_LOCKS = 10
/** Size of struct rlimit: the soft limit, then the hard limit. */
const RLIMIT_BYTES = 16
/**
 * These system calls have the same numbers on all architectures. glibc has functions for them only since
 * 2.36.
 */
const SYS_PIDFD_SEND_SIGNAL = 424
const SYS_PIDFD_OPEN = 434

// All calls share these buffers, because each call ends before the next begins. To allocate small buffers
// would cost more than the calls.
const limits = Buffer.alloc(RLIMIT_BYTES)
const count = Buffer.alloc(4)
const childInfo = Buffer.alloc(SIGINFO_BYTES)

function bind() {
  const library = koffi.load('libc.so.6')
  return {
    pipe2: library.func('int pipe2(_Out_ int *fds, int flags)'),
    fcntl: library.func('int fcntl(int fd, int command, ...)'),
    ioctl: library.func('int ioctl(int fd, unsigned long request, ...)'),
    poll: library.func('int poll(void *watched, unsigned long count, int timeoutMs)'),
    tcgetattr: library.func('int tcgetattr(int fd, void *termios)'),
    tcsetattr: library.func('int tcsetattr(int fd, int when, const void *termios)'),
    waitpid: library.func('int waitpid(int pid, _Out_ int *status, int options)'),
    waitid: library.func('int waitid(int kind, int id, void *info, int options)'),
    getsid: library.func('int getsid(int pid)'),
    prctl: library.func('int prctl(int option, ...)'),
    prlimit: library.func('int prlimit(int pid, int resource, const void *limits, void *before)'),
    mallocTrim: library.func('int malloc_trim(size_t pad)'),
    pidfdOpen: library.func('long syscall(long number, int pid, unsigned int flags)'),
    pidfdSendSignal: library.func(
      'long syscall(long number, int fd, int signal, void *info, unsigned int flags)',
    ),
  } as const
}

let bound: ReturnType<typeof bind> | undefined

/**
 * Loads libc at the first call. Files that import this file also run with the portable engine, where libc may
 * be another library.
 */
function libc(): ReturnType<typeof bind> {
  return (bound ??= bind())
}

/** @throws if libc lacks a function that the posix engine needs */
export function requireLibc(): void {
  libc()
}

/** `code` is the errno name. */
export class ErrnoError extends Error {
  readonly code: string

  constructor(what: string, errno: number) {
    const code = errnoName(errno)
    super(`${what}: ${code}`)
    this.code = code
  }
}

/** Returns [read end, write end]. Both are closed in every program that the agent starts. */
export function pipe(): [number, number] {
  const fds = [0, 0]
  check('pipe2', libc().pipe2(fds, O_CLOEXEC) as number)
  return fds as [number, number]
}

/** If the kernel refuses (an ordinary user has 64 MiB for all pipes together), the pipe keeps its 64 KiB. */
export function enlargePipe(fd: number, bytes: number): void {
  libc().fcntl(fd, F_SETPIPE_SZ, 'int', bytes)
}

/**
 * Returns the number of unread bytes in a pipe or terminal, or 0 if the descriptor does not support the call.
 */
export function bytesInPipe(fd: number): number {
  return libc().ioctl(fd, FIONREAD, 'void *', count) === 0 ? count.readInt32LE() : 0
}

/**
 * Returns whether no process has the other end open. If this is true for a terminal, all of its output has
 * arrived.
 */
export function isHungUp(fd: number): boolean {
  const watched = Buffer.alloc(8)
  watched.writeInt32LE(fd)
  return (libc().poll(watched, 1, 0) as number) > 0 && (watched.readInt16LE(6) & POLLHUP) !== 0
}

/**
 * After this call, the erase key removes a whole UTF-8 character when the kernel edits the line. Ignores
 * failures.
 */
export function editUtf8(terminal: number): void {
  const termios = Buffer.alloc(TERMIOS_BYTES)
  if (libc().tcgetattr(terminal, termios) !== 0) return
  const inputModes = new Uint32Array(termios.buffer, termios.byteOffset, 1)
  inputModes[0] = (inputModes[0] ?? 0) | IUTF8
  libc().tcsetattr(terminal, TCSANOW, termios)
}

/** Used for descriptors that were opened without O_CLOEXEC. */
export function closeOnExec(fd: number): void {
  libc().fcntl(fd, F_SETFD, 'int', FD_CLOEXEC)
}

/**
 * Makes this process the parent of descendants whose own parent has ended. Otherwise process 1 would be the
 * parent.
 */
export function becomeSubreaper(): void {
  check('prctl', libc().prctl(PR_SET_CHILD_SUBREAPER, 'unsigned long', 1) as number)
}

/** Without this call malloc keeps most free memory. */
export function giveBackMemory(): void {
  libc().mallocTrim(0)
}

/**
 * Hides environ, mem and fd of this process in /proc from processes of the same user, such as commands. Also
 * stops core dumps.
 */
export function hideFromSameUser(): void {
  check('prctl', libc().prctl(PR_SET_DUMPABLE, 'unsigned long', 0) as number)
}

/** The kernel stores the limit for file locks but does not enforce it. Returns the previous limit. */
export function setSoftLocksLimit(soft: bigint): bigint {
  check('prlimit', libc().prlimit(0, RLIMIT_LOCKS, null, limits) as number)
  const before = limits.readBigUInt64LE()
  limits.writeBigUInt64LE(soft)
  check('prlimit', libc().prlimit(0, RLIMIT_LOCKS, limits, null) as number)
  return before
}

type Wait =
  | { readonly state: 'running' }
  | { readonly state: 'ended'; readonly status: number }
  | { readonly state: 'unknown' }

/**
 * Reaps one child without waiting. The state is `unknown` if the process is not our child, or if other code
 * has reaped it.
 */
export function reap(pid: number): Wait {
  const status = [0]
  const result = libc().waitpid(pid, status, WNOHANG) as number
  if (result === 0) return { state: 'running' }
  return result === pid ? { state: 'ended', status: status[0] ?? 0 } : { state: 'unknown' }
}

/** Returns an ended child that is not reaped, no matter who started it, without reaping it. */
export function endedChild(): number | undefined {
  childInfo.writeInt32LE(0, SIGINFO_PID)
  const result = libc().waitid(P_ALL, 0, childInfo, WEXITED | WNOHANG | WNOWAIT) as number
  return result === 0 ? childInfo.readInt32LE(SIGINFO_PID) || undefined : undefined
}

/** Returns -1 if the process is gone. Needs no descriptor. An ended process that is not reaped has a session. */
export function sessionOf(pid: number): number {
  return libc().getsid(pid) as number
}

/**
 * Signals a process that is not our child. The pid may already belong to another process. So this function
 * first opens a descriptor of the process, then calls `isStill`, and then signals the descriptor. Returns
 * false if the process has ended or may not be signalled.
 */
export function signalProcess(pid: number, signal: NodeJS.Signals, isStill: () => boolean): boolean {
  const fd = libc().pidfdOpen(SYS_PIDFD_OPEN, pid, 0) as number
  // Without such descriptors (before Linux 5.3, or forbidden by seccomp), the pid may change its owner
  // between check and signal.
  if (fd < 0) return koffi.errno() !== constants.errno.ESRCH && isStill() && kill(pid, signal)
  try {
    const number = constants.signals[signal]
    return isStill() && libc().pidfdSendSignal(SYS_PIDFD_SEND_SIGNAL, fd, number, null, 0) === 0
  } finally {
    closeSync(fd)
  }
}

function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function check(what: string, result: number): number {
  if (result < 0) throw new ErrnoError(what, koffi.errno())
  return result
}

function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`
}
