import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A file system of a few KiB that a test can fill: ENOSPC, for real. Needs the right to mount. */
export class SmallDisk implements Disposable {
  readonly path: string

  constructor(size: string) {
    this.path = mkdtempSync(path.join(tmpdir(), 'small-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', this.path])
  }

  static permitted(): boolean {
    return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
  }

  /** From now on every write fails with EROFS, for root as well. */
  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.path])
  }

  makeWritable(): void {
    execFileSync('mount', ['-o', 'remount,rw', this.path])
  }

  /** Takes all the room that is left. `free` gives it back. */
  fill(): void {
    const file = openSync(this.#filler, 'a')
    const block = Buffer.alloc(4096, 'x')
    try {
      for (;;) writeSync(file, block)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    } finally {
      closeSync(file)
    }
  }

  free(): void {
    rmSync(this.#filler)
  }

  get #filler(): string {
    return path.join(this.path, 'filler')
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.path])
    rmdirSync(this.path)
  }
}
