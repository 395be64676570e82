import { readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import koffi from 'koffi'
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

const files = {
  memfdCreate: libc.func('int memfd_create(const char *name, unsigned int flags)'),
  fcntl: libc.func('int fcntl(int fd, int command, ...)'),
} as const

/**
 * Makes an anonymous file in memory. The child can open the file again as /dev/stdin and reads it from the
 * start.
 * @throws ErrnoError
 */
export function memoryFile(name: string): number {
  const fd = files.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) as number
  if (fd < 0) throw new ErrnoError('memfd_create', koffi.errno())
  return fd
}

/**
 * Seals the file. Without seals, every process of the same user could change the file through /proc/PID/fd/0
 * while a shell reads its script from the file.
 * @throws ErrnoError
 */
export function seal(fd: number): void {
  if (files.fcntl(fd, F_ADD_SEALS, 'int', FOR_EVER) === 0) return
  const errno = koffi.errno()
  // EINVAL: the system has no seals (qemu-user, a kernel without tmpfs). Commands have to run there, too.
  if (errno !== constants.errno.EINVAL) throw new ErrnoError('F_ADD_SEALS', errno)
}

/**
 * OOM score of a command. Scores range from -1000 to 1000. With this score, the kernel kills a command when
 * memory runs out, and not the agent with all commands.
 */
const COMMAND_SCORE = 500

const ownScore = readOwnScore()

/**
 * Raises the score of a command, and never lowers it. If the score cannot be changed, the command keeps the
 * agent's score.
 */
export function raiseOomScore(pid: number): void {
  if (ownScore >= COMMAND_SCORE) return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(COMMAND_SCORE))
  } catch {
    // The program has changed its user, or no descriptor is left.
  }
}

function readOwnScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  } catch {
    return 0
  }
}

const O_RDWR = 2
const SPAWN_SETSIGDEF = 0x04
const SPAWN_SETSIGMASK = 0x08
const SPAWN_SETSID = 0x80
/** Buffers for glibc's opaque structures, which have 80, 336 and 128 bytes on 64-bit systems. */
const FILE_ACTIONS_BYTES = 256
const ATTRIBUTES_BYTES = 512
const SIGSET_BYTES = 128

const library = koffi.load('libc.so.6')

const call = {
  sigfillset: library.func('int sigfillset(void *set)'),
  sigemptyset: library.func('int sigemptyset(void *set)'),
  attributesInit: library.func('int posix_spawnattr_init(void *attributes)'),
  attributesFlags: library.func('int posix_spawnattr_setflags(void *attributes, short flags)'),
  attributesDefault: library.func('int posix_spawnattr_setsigdefault(void *attributes, void *set)'),
  attributesMask: library.func('int posix_spawnattr_setsigmask(void *attributes, void *set)'),
  actionsInit: library.func('int posix_spawn_file_actions_init(void *actions)'),
  actionsDestroy: library.func('int posix_spawn_file_actions_destroy(void *actions)'),
  actionsDup2: library.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)'),
  actionsOpen: library.func(
    'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, unsigned int mode)',
  ),
  actionsChdir: library.func('int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)'),
  actionsCloseFrom: library.func('int posix_spawn_file_actions_addclosefrom_np(void *actions, int from)'),
  spawn: library.func(
    'int posix_spawn(void *pid, void *path, void *actions, void *attributes, void *argv, void *envp)',
  ),
} as const

// All calls share these buffers. Only one call may use them at a time.
const actions = Buffer.alloc(FILE_ACTIONS_BYTES)
const started = Buffer.alloc(4)
const NUL = Buffer.alloc(1)
const POINTER_BYTES = 8

export interface Spawn {
  readonly file: string
  readonly argv: readonly Buffer[]
  readonly environment: readonly Buffer[]
  readonly cwd: string
  /**
   * Descriptors that become 0, 1 and 2 in the child, or the path of a terminal. All other descriptors are
   * closed in the child.
   */
  readonly stdio: readonly [number, number, number] | string
}

/**
 * Attributes of a start: default signal handlers, no blocked signals, and a session of its own. They are made
 * once, because glibc only reads them.
 */
let attributes: Buffer | undefined

/**
 * Starts a program in a child process and waits for the child's exec. The wait takes 1 ms, or tens of
 * milliseconds on a busy machine. So a thread of libuv's pool waits. The child may end before its pid is
 * known. With `onThisThread`, the pid is known in the same tick. Only one call may run at a time.
 * @returns the pid
 * @throws ErrnoError if the exec fails, or a step of the child before the exec, such as the chdir
 */
export async function posixSpawn(
  { file, argv, environment, cwd, stdio }: Spawn,
  onThisThread: boolean,
): Promise<number> {
  attributes ??= spawnAttributes()
  call.actionsInit(actions)
  try {
    setStdio(stdio)
    call.actionsChdir(actions, cwd)
    call.actionsCloseFrom(actions, 3)
    const words = [cString(Buffer.from(file)), cStrings(argv), cStrings(environment)] as const
    const errno = onThisThread ? spawnOnThisThread(...words) : await spawnAside(...words)
    if (errno !== 0) throw new ErrnoError('posix_spawn', errno)
    return started.readInt32LE()
  } finally {
    call.actionsDestroy(actions)
  }
}

type SpawnWords = readonly [file: Buffer, argv: Buffer, environment: Buffer]

function spawnOnThisThread(...[file, argv, environment]: SpawnWords): number {
  return call.spawn(started, file, actions, attributes, argv, environment) as number
}

/** Arguments of calls that run on other threads. This set keeps them from the garbage collector. */
const held = new Set<SpawnWords>()

function spawnAside(...words: SpawnWords): Promise<number> {
  const [file, argv, environment] = words
  held.add(words)
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, errno: number): void => {
      held.delete(words)
      if (error === null) resolve(errno)
      else reject(error)
    }
    call.spawn.async(started, file, actions, attributes, argv, environment, done)
  })
}

/**
 * The child opens its terminal itself, because a session leader that opens a terminal gets it as its
 * controlling terminal. glibc performs SETSID before the file actions.
 */
function setStdio(stdio: Spawn['stdio']): void {
  if (typeof stdio === 'string') call.actionsOpen(actions, 0, stdio, O_RDWR, 0)
  const fds = typeof stdio === 'string' ? [0, 0, 0] : stdio
  fds.forEach((fd, newFd) => {
    if (fd !== newFd || typeof stdio !== 'string') call.actionsDup2(actions, fd, newFd)
  })
}

function spawnAttributes(): Buffer {
  const made = Buffer.alloc(ATTRIBUTES_BYTES)
  const all = Buffer.alloc(SIGSET_BYTES)
  const none = Buffer.alloc(SIGSET_BYTES)
  call.sigfillset(all)
  call.sigemptyset(none)
  call.attributesInit(made)
  call.attributesFlags(made, SPAWN_SETSIGDEF | SPAWN_SETSIGMASK | SPAWN_SETSID)
  call.attributesDefault(made, all)
  call.attributesMask(made, none)
  return made
}

/**
 * Builds one buffer. It has an array of pointers that ends with null, and then the strings. A separate buffer
 * for each of hundreds of strings would be slow.
 */
function cStrings(values: readonly Buffer[]): Buffer {
  const strings = (values.length + 1) * POINTER_BYTES
  const length = values.reduce((sum, value) => sum + value.length + NUL.length, strings)
  // The memory is not from Node's pool, so that no other code writes to it while another thread reads it.
  const memory = Buffer.allocUnsafeSlow(length)
  const address = Number(koffi.address(memory))
  let at = strings
  for (const [index, value] of values.entries()) {
    memory.writeBigUInt64LE(BigInt(address + at), index * POINTER_BYTES)
    at += value.copy(memory, at)
    at = memory.writeUInt8(0, at)
  }
  memory.writeBigUInt64LE(0n, values.length * POINTER_BYTES)
  return memory
}

function cString(value: Buffer): Buffer {
  return Buffer.concat([value, NUL])
}
