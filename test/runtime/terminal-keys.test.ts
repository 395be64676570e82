import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Console } from '../support/terminals/console.ts'
import { childrenOf, commandLineOf } from '../support/machine/processes.ts'
import { waitFor } from '../support/wait.ts'

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
