import { closeSync } from 'node:fs'
import { datagramSocket, sendDatagram, unixAddress } from './posix-socket.ts'

/**
 * Talks to the service manager (sd_notify(3)). Done in this process, since `NotifyAccess=main` ignores helper
 * processes. The socket is opened once, so that it works even when no descriptor is left: an agent that falls silent
 * would be killed.
 */
export class NotifySocket implements Disposable {
  readonly #fd: number
  readonly #address: Buffer

  /** @param path `$NOTIFY_SOCKET`. @throws when it is no address, or there is no socket left */
  constructor(path: string) {
    this.#address = unixAddress(path)
    this.#fd = datagramSocket()
  }

  /** Never waits. @returns false when it has to be sent again. @throws when nobody listens */
  send(text: string): boolean {
    return sendDatagram(this.#fd, this.#address, Buffer.from(text))
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}
