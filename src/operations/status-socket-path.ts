/** Limit for a socket's path in bytes: 108 on Linux and 104 elsewhere, minus the zero byte at the end. */
export const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

/** Node silently cuts a longer path. */
export function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > LONGEST_PATH
}
