import { isIPv4, isIPv6 } from 'node:net'

/** Where a server listens. An IPv6 host comes without its brackets; port 0 is any free one. */
export interface Listen {
  readonly host: string
  readonly port: number
}

const LOOPBACK = '127.0.0.1'
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

/**
 * `9100` (of the loopback), `127.0.0.1:9100`, `name:9100`, `[::1]:9100`. Undefined for anything else, `:9100` included:
 * elsewhere that means every interface, and whoever writes it may mean that.
 */
export function parseListen(text: string): Listen | undefined {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]*)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (!(port <= 65_535)) return undefined
  const host = bracketed ?? plain ?? LOOPBACK
  const isHost = bracketed === undefined ? isIPv4(host) || isName(host) : isIPv6(host)
  return isHost ? { host, port } : undefined
}

/** `host:port`, with the brackets of an IPv6 host. */
export function formatListen({ host, port }: Listen): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** Digits and dots alone are an address that went wrong. */
function isName(host: string): boolean {
  return HOST_NAME.test(host) && !/^[\d.]+$/.test(host)
}
