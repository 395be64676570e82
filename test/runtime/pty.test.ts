import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { openTerminal } from '../../src/runtime/pty.ts'
import { Console } from '../support/terminals/console.ts'
import { outcome, run, start } from '../support/sites/execute.ts'

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
