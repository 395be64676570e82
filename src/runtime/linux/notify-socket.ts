import koffi from 'koffi'
import { closeSync } from 'node:fs'
import { endianness, constants } from 'node:os'
import { ErrnoError } from './posix.ts'

/** libc is needed because Node has only streams for unix sockets, and systemd listens for datagrams. */
const libc = koffi.load('libc.so.6')

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
/** Maximum length of a path in sockaddr_un, with the zero byte. */
const MAX_PATH_BYTES = 108

const call = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  sendto: libc.func(
    'long sendto(int fd, const void *bytes, size_t length, int flags, const void *address, unsigned int size)',
  ),
}

/**
 * Sends messages to the service manager (sd_notify(3)). This process sends them itself, because
 * `NotifyAccess=main` ignores helpers. The socket is opened once, so that it works even if no descriptor is
 * free later. Without messages, the service manager would kill the agent.
 */
export class NotifySocket implements Disposable {
  readonly #fd: number
  readonly #address: Buffer

  /** @param path `$NOTIFY_SOCKET` @throws if the path is no address, or no socket can be opened */
  constructor(path: string) {
    this.#address = unixAddress(path)
    this.#fd = call.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) as number
    if (this.#fd < 0) throw new ErrnoError('socket', koffi.errno())
  }

  /**
   * Does not wait. Returns false if the queue is full and the text has to be sent again.
   * @throws if nobody listens
   */
  send(text: string): boolean {
    const bytes = Buffer.from(text)
    const { length } = this.#address
    const sent = call.sendto(this.#fd, bytes, bytes.length, MSG_NOSIGNAL, this.#address, length) as number
    if (sent >= 0) return true
    const errno = koffi.errno()
    if (errno === constants.errno.EAGAIN) return false
    throw new ErrnoError('sendto', errno)
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

/**
 * @param path a file, or `@name` for a socket without a file
 * @throws Error if the path has another form, or is too long
 */
export function unixAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@')
  const name = isAbstract ? Buffer.from(`\0${path.slice(1)}`) : Buffer.from(`${path}\0`)
  if (!isAbstract && !path.startsWith('/')) throw new Error(`${path} is no address of a unix socket`)
  if (name.length > MAX_PATH_BYTES) throw new Error(`${path} is too long for a unix socket`)
  const family = Buffer.alloc(2)
  if (endianness() === 'LE') family.writeUInt16LE(AF_UNIX)
  else family.writeUInt16BE(AF_UNIX)
  return Buffer.concat([family, name])
}
