import { closeSync } from 'node:fs'
import { datagramSocket, sendDatagram, unixAddress } from './posix-socket.ts'

/**
 * A service manager's socket (sd_notify(3)), told by ourselves: a helper process would be one that `NotifyAccess=main`
 * does not listen to. Opened once, so that it works when no descriptor is left: silence would have the agent killed.
 */
export class NotifySocket implements Disposable {
  readonly #fd: number
  readonly #address: Buffer

  /** @param path `$NOTIFY_SOCKET`. @throws when it is no address, or no socket can be had */
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
