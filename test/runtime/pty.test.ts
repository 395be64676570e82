import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openTerminal, TerminalInput } from '../../src/runtime/pty.ts'
import { childrenOf, commandLineOf } from '../support/machine/processes.ts'
import { outcome, run, start } from '../support/sites/execute.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { Console } from '../support/terminals/console.ts'
import { waitFor } from '../support/wait.ts'

const terminal = { cols: 100, rows: 30 }
const lines = (upTo: number) => Array.from({ length: upTo }, (_, i) => `${i + 1}\r\n`).join('')
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i))

describe('an execution on a terminal', () => {
  it('has the size it was given and knows that it is a terminal', async () => {
    const { stdout } = await run(
      ['sh', '-c', 'stty size; test -t 0 && test -t 1 && test -t 2 && ps -o tty= -p $$'],
      { terminal },
    )
    expect(String(stdout)).toMatch(/^30 100\r\npts\/\d+ *\r\n$/)
  })

  it('leads a session whose controlling terminal it is', async () => {
    const { stdout } = await run(['sh', '-c', 'echo to the terminal > /dev/tty; ps -o pid=,sess= -p $$'], {
      terminal,
    })
    expect(String(stdout)).toMatch(/^to the terminal\r\n *(\d+) +\1\r\n$/)
  })

  it('loses no byte when the program ends at once: 500 runs, 20 at a time', async () => {
    for (let round = 0; round < 25; round++) {
      const all = await Promise.all(Array.from({ length: 20 }, () => run(['seq', '1', '1000'], { terminal })))
      for (const { stdout, status } of all) {
        expect(status).toEqual({ kind: 'exited', code: 0 })
        expect(String(stdout)).toBe(lines(1000))
      }
    }
  })

  it('loses no byte of a program that ends while nobody reads', async () => {
    const execution = await start(['seq', '1', '600'], { terminal })
    for (let turns = 0; turns < 10_000 && !execution.hasEnded; turns++) await new Promise(setImmediate)
    expect(String((await outcome(execution)).stdout)).toBe(lines(600))
  })

  it('brings every byte both ways, in raw mode', async () => {
    await using cat = await Console.start(['sh', '-c', 'stty raw -echo; printf ready; exec head -c 512'])
    await cat.says(/ready$/)
    cat.type(everyByte)
    cat.type(everyByte)
    expect(await cat.ended).toEqual({ kind: 'exited', code: 0 })
    expect(cat.output).toEqual(Buffer.concat([Buffer.from('ready'), everyByte, everyByte]))
  })

  it('is resized while it runs, down to nothing and up to all that 16 bits hold', async () => {
    const watch = `trap 'echo told' WINCH; while :; do stty size; sleep 0.01; done`
    await using watcher = await Console.start(['bash', '-c', watch])
    await watcher.says(/24 80/)
    watcher.execution.resize({ cols: 120, rows: 40 })
    await watcher.says(/40 120/)
    await watcher.says(/told/)
    watcher.execution.resize({ cols: 0, rows: 0 })
    await watcher.says(/\n0 0/)
    watcher.execution.resize({ cols: 65535, rows: 65535 })
    await watcher.says(/65535 65535/)
  })

  it('is not resized when it is over', async () => {
    const execution = await start(['true'], { terminal })
    await outcome(execution)
    execution.resize({ cols: 1, rows: 1 })
    expect(execution.type(Buffer.from('late'))).toBe(true)
  })

  it('erases a whole character with one key, where the kernel edits the line', async () => {
    await using cat = await Console.start(['sh', '-c', 'echo ready; cat'])
    await cat.says(/ready/)
    cat.type('a\u20ac\u007fb\n\u0004')
    await cat.ended
    expect(cat.output.toString()).toMatch(/\r\nab\r\n$/)
  })

  it('goes on when its program closes its terminal, and shows what comes after', async () => {
    const { stdout, status } = await run(
      ['sh', '-c', 'tty=$(tty); exec < /dev/null > /dev/null 2>&1; sleep 0.1; echo back > $tty; exit 4'],
      { terminal },
    )
    expect([String(stdout), status]).toEqual(['back\r\n', { kind: 'exited', code: 4 }])
  })

  it('says 127 for a program that does not exist and gives the terminal back', async () => {
    const { status } = await run(['no-such-program'], { terminal })
    expect(status).toMatchObject({ kind: 'failed', cause: { code: 'ENOENT' } })
  })
})

it('a program that Node starts, as the agent does to look at something, has no descriptor of a terminal', () => {
  const terminals = () =>
    execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).match(/-> \/dev\/p\w+.*/g)
  const before = terminals()
  const opened = openTerminal({ cols: 80, rows: 24 })
  try {
    expect(terminals()).toEqual(before)
  } finally {
    opened.discard()
  }
})

/** A pipe to itself that takes nothing more, as a terminal whose program does not read. */
class FullPipe implements Disposable {
  readonly fd: number
  readonly #place = new Workplace()

  constructor() {
    const file = this.#place.at('pipe')
    execFileSync('mkfifo', [file])
    this.fd = openSync(file, constants.O_RDWR | constants.O_NONBLOCK)
    for (const size of [65_536, 1]) this.#fill(Buffer.alloc(size))
  }

  read(): number {
    return readSync(this.fd, Buffer.alloc(1_000_000))
  }

  #fill(data: Buffer): void {
    try {
      for (;;) writeSync(this.fd, data)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
    this.#place[Symbol.dispose]()
  }
}

it('a terminal that takes nothing is tried again after some time, not at every turn', async () => {
  using pipe = new FullPipe()
  let tries = 0
  const isClosed = () => {
    tries += 1
    return false
  }
  const input = new TerminalInput(pipe.fd, isClosed)
  const from = performance.now()
  input.write(Buffer.from('key'))
  for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate)
  // Once for `write` itself, once at once, and then a millisecond later at the earliest.
  expect(tries).toBeLessThanOrEqual(3 + (performance.now() - from))
  // Three bytes, and what a piece of input takes besides its bytes.
  expect(input.unwritten).toBe(3 + 256)
  while (input.unwritten > 0) {
    pipe.read()
    await waitFor(() => input.unwritten === 0)
  }
  expect(pipe.read()).toBe(3)
})

it('what a terminal takes in part is written in order', async () => {
  using pipe = new FullPipe()
  pipe.read()
  const input = new TerminalInput(pipe.fd, () => false)
  const data = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
  input.write(data.subarray(0, 200_000))
  input.write(data.subarray(200_000))
  const read: Buffer[] = []
  const bytes = Buffer.alloc(1_000_000)
  await waitFor(() => {
    try {
      read.push(Buffer.from(bytes.subarray(0, readSync(pipe.fd, bytes))))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
    return Buffer.concat(read).length === data.length
  })
  expect(Buffer.concat(read).equals(data)).toBe(true)
  expect(input.unwritten).toBe(0)
})

// What the kernel makes of keys depends on the terminal's mode: these are the modes that people meet.

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_Z = '\u001a'
const CTRL_BACKSLASH = '\u001c'

/** A shell whose foreground job is `sleep`, which reads nothing. */
async function busyShell(): Promise<Console> {
  const shell = await Console.shell()
  shell.type('sleep 1000\r')
  await waitFor(() => childrenOf(shell.pid).some((pid) => commandLineOf(pid).startsWith('sleep')))
  return shell
}

/** A script that says `ready`, from then on. */
async function ready(script: string): Promise<Console> {
  const program = await Console.start(['bash', '-c', script])
  await program.says(/ready/)
  return program
}

const sha = (data: string) => createHash('sha256').update(data).digest('hex')

describe('a key', () => {
  it.each([
    ['Ctrl-C', CTRL_C, '130'],
    ['Ctrl-\\', CTRL_BACKSLASH, '131'],
  ])('%s ends the foreground job and not the shell', async (_, key, code) => {
    await using shell = await busyShell()
    shell.type(key)
    shell.type('echo code=$?\r')
    await shell.says(new RegExp(`code=${code}`))
  })

  it('Ctrl-Z stops the foreground job, which goes on when it is told', async () => {
    await using shell = await busyShell()
    shell.type(CTRL_Z)
    await shell.says(/Stopped +sleep 1000/)
    shell.type('fg\r')
    await shell.says(/fg\r\nsleep 1000\r\n/)
    shell.type(CTRL_C)
    shell.type('echo code=$?\r')
    await shell.says(/code=130/)
  })

  it('Ctrl-D at the prompt ends the shell with the code of its last command', async () => {
    await using shell = await Console.shell()
    shell.type('(exit 7)\r')
    await shell.says(/exit 7\)\r\n.*\$ $/s)
    shell.type(CTRL_D)
    expect(await shell.ended).toEqual({ kind: 'exited', code: 7 })
  })

  it('Ctrl-D is the end of the input of a program that reads lines', async () => {
    await using cat = await ready('stty -echo; echo ready; cat > /dev/null; exit 3')
    cat.type(`a line\n${CTRL_D}`)
    expect(await cat.ended).toEqual({ kind: 'exited', code: 3 })
  })

  it('Ctrl-C reaches a program behind lines that it does not read', async () => {
    await using program = await ready(`trap 'exit 9' INT; echo ready; while :; do sleep 0.01; done`)
    program.type('x\n'.repeat(1000))
    program.type(CTRL_C)
    expect(await program.ended).toEqual({ kind: 'exited', code: 9 })
  })
})

describe('a paste of 1 MB', () => {
  const paste = Array.from({ length: 10_000 }, (_, i) => `${String(i).padEnd(99, 'x')}\n`).join('')

  it('reaches a program in raw mode whole', async () => {
    await using program = await ready('stty raw -echo; echo ready; head -c 1000000 | sha256sum')
    program.type(paste)
    await program.ended
    expect(program.output.toString()).toContain(sha(paste))
  })

  it('reaches a program that reads slowly, line by line, whole', async () => {
    await using program = await ready(
      'stty -echo; echo ready; while IFS= read -r line; do echo "$line"; done | sha256sum',
    )
    program.type(paste)
    program.type(CTRL_D)
    await program.ended
    expect(program.output.toString()).toContain(sha(paste))
  })

  it('in one line is cut to 4095 bytes by the kernel, as everywhere, where it edits the line', async () => {
    await using program = await ready('stty -echo; echo ready; wc -c')
    program.type(`${'x'.repeat(1_000_000)}\n${CTRL_D}`)
    await program.ended
    expect(program.output.toString()).toMatch(/\r\n4096\r\n$/)
  })

  it('does not keep anybody else waiting', async () => {
    await using program = await ready('stty -echo; echo ready; exec sleep 1000')
    // Where the kernel edits the line it takes all of it, and drops what is too long.
    program.type('x'.repeat(1_000_000))
    let turns = 0
    for (; turns < 10; turns++) await new Promise(setImmediate)
    program.type(CTRL_C)
    expect(await program.ended).toEqual({ kind: 'signaled', signal: 'SIGINT' })
  })

  it('into a program that never reads waits, and more than 4 MiB is refused instead of kept without a bound', async () => {
    await using program = await ready('stty raw -echo; echo ready; exec sleep 1000')
    const taken = Array.from({ length: 6 }, () => program.type(Buffer.alloc(1_000_000, 'x')))
    expect(taken).toEqual([true, true, true, true, true, false])
  })
})
