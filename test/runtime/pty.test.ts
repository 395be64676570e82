import { describe, expect, it } from 'vitest'
import { outcome, run, start } from '../support/execute.ts'

const terminal = { cols: 100, rows: 30 }
const lines = (upTo: number) => Array.from({ length: upTo }, (_, i) => `${i + 1}\r\n`).join('')

describe('an execution on a terminal', () => {
  it('has the size it was given and knows that it is a terminal', async () => {
    const { stdout } = await run(
      ['sh', '-c', 'stty size; test -t 0 && test -t 1 && test -t 2 && ps -o tty= -p $$'],
      { terminal },
    )
    expect(String(stdout)).toMatch(/^30 100\r\npts\/\d+ *\r\n$/)
  })

  it('loses no byte when the program ends at once: 100 runs, 20 at a time', async () => {
    for (let round = 0; round < 5; round++) {
      const all = await Promise.all(Array.from({ length: 20 }, () => run(['seq', '1', '1000'], { terminal })))
      for (const { stdout, status } of all) {
        expect(status).toEqual({ kind: 'exited', code: 0 })
        expect(String(stdout)).toBe(lines(1000))
      }
    }
  })

  it('takes what is typed, byte for byte, and end of file by Ctrl-D', async () => {
    const execution = await start(['sh', '-c', 'stty raw -echo; echo ready; head -c 256 | od -An -v -tu1'], {
      terminal,
    })
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const parts: Buffer[] = []
    for await (const { data } of execution.output) {
      if (parts.length === 0) expect(execution.type(all)).toBe(true)
      parts.push(Buffer.from(data))
    }
    const numbers = Buffer.concat(parts).toString().replace('ready', '').trim().split(/\s+/).map(Number)
    expect(numbers).toEqual([...all])
  })

  it('is resized while it runs', async () => {
    const execution = await start(
      ['bash', '-c', `trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done`],
      { terminal },
    )
    const parts: string[] = []
    for await (const { data } of execution.output) {
      parts.push(String(data))
      if (parts.length === 1) execution.resize({ cols: 120, rows: 40 })
    }
    expect(parts.join('')).toContain('40 120')
  })

  it('ends an interactive shell, which ignores SIGTERM, by SIGHUP', async () => {
    const execution = await start(['bash', '--norc', '--noprofile', '-i'], {
      terminal,
      environment: ['PS1=$ '],
    })
    const parts: string[] = []
    for await (const { data } of execution.output) {
      parts.push(String(data))
      execution.terminate()
    }
    expect(await execution.exit).toEqual({ kind: 'signaled', signal: 'SIGHUP' })
  })

  it('takes a paste of 1 MB', async () => {
    const execution = await start(['sh', '-c', 'stty raw -echo; echo ready; head -c 1000000 | wc -c'], {
      terminal,
    })
    const parts: string[] = []
    for await (const { data } of execution.output) {
      parts.push(String(data))
      if (parts.length === 1) expect(execution.type(Buffer.alloc(1_000_000, 'x'))).toBe(true)
    }
    expect(parts.join('')).toContain('1000000')
  })

  it('refuses more input when its program does not read, instead of keeping it without a bound', async () => {
    const execution = await start(['sh', '-c', 'stty raw -echo; echo ready; exec sleep 1000'], { terminal })
    const taken: boolean[] = []
    for await (const chunk of execution.output) {
      expect(String(chunk.data)).toContain('ready')
      for (let i = 0; i < 6; i++) taken.push(execution.type(Buffer.alloc(1_000_000, 'x')))
      execution.terminate()
    }
    expect(taken).toEqual([true, true, true, true, true, false])
  })

  it('cannot be reached by another execution: no master of it is open there', async () => {
    const shell = await start(['sh', '-c', 'sleep 1000'], { terminal })
    const { stdout } = await run(['sh', '-c', 'ls -l /proc/$$/fd | grep -c ptmx'])
    expect(String(stdout)).toBe('0\n')
    shell.terminate()
    await outcome(shell)
  })

  it('says 127 for a program that does not exist and gives the terminal back', async () => {
    const { status } = await run(['no-such-program'], { terminal })
    expect(status.kind).toBe('failed')
  })
})
