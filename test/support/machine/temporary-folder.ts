import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'

const MEMORY = '/dev/shm'
/** Several times what the tests hold at once. */
const ROOM_BYTES = 4 * 1024 ** 3

/**
 * Where the folders of tests lie: in memory where that has room and lets programs run, since a disk takes a fifth of
 * the time of all tests. Whoever sets TMPDIR has chosen.
 */
export function temporaryFolder(): string {
  return process.env['TMPDIR'] === undefined && isRoomy() && runsPrograms() ? MEMORY : tmpdir()
}

function isRoomy(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    return Math.min(bavail * bsize, freemem()) >= ROOM_BYTES
  } catch {
    return false
  }
}

/** Containers often mount it `noexec`. */
function runsPrograms(): boolean {
  const mounts = readFileSync('/proc/mounts', 'utf8')
  const options = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(mounts)?.[1]?.split(',')
  return options?.includes('noexec') === false
}

/** For an agent's status socket: its path may have 107 bytes, so there is none below a long TMPDIR. */
export class SocketFolder implements Disposable {
  readonly path: string

  constructor() {
    this.path = mkdtempSync('/tmp/sockets-')
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
