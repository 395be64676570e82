import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { waitFor } from './wait.ts'
import type { Workplace } from './sites/workplace.ts'

/** A script that has come to the gate. */
export interface Waiting {
  readonly pid: number
  readonly session: string
}

/**
 * A point in shell scripts where they wait for the test, without polling: each reads one line from a FIFO. They
 * open it for reading and writing, which never blocks and keeps unread lines alive. Disposing it lets all through.
 */
export class Gate implements Disposable {
  /** What a script runs to wait here. */
  readonly script: string
  readonly #folder: string
  readonly #fifo: string

  constructor(place: Workplace, name = 'gate') {
    this.#folder = place.at(name)
    this.#fifo = place.at(name, 'fifo')
    mkdirSync(this.#folder)
    execFileSync('mkfifo', [this.#fifo])
    this.script = `exec 9<>'${this.#fifo}'; echo "$$ $HOOP_SESSION_ID" > '${this.#folder}'/reached.$$; read -r _ <&9; exec 9>&-;`
  }

  /** Settles when so many scripts wait here, or have waited. */
  async reached(count = 1): Promise<readonly [Waiting, ...Waiting[]]> {
    await waitFor(() => this.#waiting().length >= count)
    const [first, ...rest] = this.#waiting()
    if (first === undefined) throw new Error('unreachable: count is at least 1')
    return [first, ...rest]
  }

  /** Lets so many scripts through. */
  open(count = 1): void {
    const fd = openSync(this.#fifo, constants.O_RDWR | constants.O_NONBLOCK)
    writeSync(fd, '\n'.repeat(count))
    closeSync(fd)
  }

  [Symbol.dispose](): void {
    this.open(1000)
  }

  #waiting(): Waiting[] {
    return readdirSync(this.#folder)
      .filter((name) => name.startsWith('reached.'))
      .map((name) => /^(\d+) (\S*)\n$/.exec(readFileSync(`${this.#folder}/${name}`, 'utf8')))
      .filter((match) => match !== null)
      .map(([, pid, session]) => ({ pid: Number(pid), session: session ?? '' }))
  }
}
