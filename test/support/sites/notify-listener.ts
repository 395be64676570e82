import koffi from 'koffi'
import { closeSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { unixAddress } from '../../../src/runtime/linux/notify-socket.ts'

const libc = koffi.load('libc.so.6')
const call = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, unsigned int size)'),
  recv: libc.func('long recv(int fd, void *bytes, size_t length, int flags)'),
}
const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const LONGEST = 4096

/** What systemd has behind NOTIFY_SOCKET: a datagram socket, with a file or (`@name`) without. */
export class NotifyListener implements Disposable {
  readonly address: string
  #fd: number
  readonly #folder: string

  constructor(kind: 'file' | 'abstract' = 'file') {
    this.#folder = mkdtempSync(path.join(tmpdir(), 'notify-'))
    const file = path.join(this.#folder, 'notify')
    this.address = kind === 'file' ? file : `@${file}`
    this.#fd = call.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) as number
    const address = unixAddress(this.address)
    if (call.bind(this.#fd, address, address.length) !== 0) throw new Error(`bind: errno ${koffi.errno()}`)
  }

  /** The messages that came since the last look. */
  take(): string[] {
    const messages: string[] = []
    const bytes = Buffer.alloc(LONGEST)
    for (;;) {
      const length = call.recv(this.#fd, bytes, bytes.length, MSG_DONTWAIT) as number
      if (length < 0) return messages
      messages.push(bytes.toString('utf8', 0, length))
    }
  }

  /** As when systemd is gone: its address stays. */
  stopListening(): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }

  [Symbol.dispose](): void {
    this.stopListening()
    rmSync(this.#folder, { recursive: true })
  }
}
