const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d{1,5})$/

/**
 * Returns `host:port` of an address, which may have scheme, user and path. Returns undefined if the port is
 * missing or invalid. The class URL is not used, because it drops the default port of a scheme, as in
 * `https://h:443`.
 */
export function serverAddress(text: string): string | undefined {
  const [authority = ''] = text.replace(/^[a-zA-Z][\w+.-]*:\/\//, '').split(/[/?#]/)
  const address = authority.slice(authority.lastIndexOf('@') + 1)
  const [, , port] = HOST_AND_PORT.exec(address) ?? []
  return port !== undefined && Number(port) > 0 && Number(port) < 65_536 ? address : undefined
}

/** Returns the host without the brackets of an IPv6 address. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
