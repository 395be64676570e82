import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const PRLIMIT = '/usr/bin/prlimit'

export const hasPrlimit = existsSync(PRLIMIT)

/** While the work goes on, files of this process grow to so many bytes; there a write fails with EFBIG. */
export async function withFileSizeLimit<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  const before = prlimit('--fsize', '--output=SOFT', '--noheadings').trim()
  // Else the kernel ends the process.
  const ignore = () => undefined
  process.on('SIGXFSZ', ignore)
  prlimit(`--fsize=${bytes}:`)
  try {
    return await work()
  } finally {
    prlimit(`--fsize=${before}:`)
    process.off('SIGXFSZ', ignore)
  }
}

function prlimit(...args: string[]): string {
  return execFileSync(PRLIMIT, ['--pid', String(process.pid), ...args], { encoding: 'utf8' })
}
