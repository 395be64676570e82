import { randomUUID } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { loadEngine } from '../../src/runtime/engine.ts'
import { execute } from '../../src/runtime/execution.ts'

// Where libc is another than the posix engine needs. What this file's process has loaded nobody else sees.

vi.mock('koffi', () => ({
  default: {
    load: () => {
      throw new Error('no such library')
    },
  },
}))

const path = process.env['PATH'] ?? ''
const options = { graceMs: 200, instance: randomUUID(), marker: 'MARKER=x' }
const command = (...argv: string[]) => ({
  argv: argv.map((word) => Buffer.from(word)),
  environment: [`PATH=${path}`, 'EMPTY=', 'EQUALS=a=b'].map((entry) => Buffer.from(entry)),
  ...{ path, cwd: '/', stdin: Buffer.from('typed') },
})

/** What a command writes to each stream, and how it ends. */
async function ran(...argv: string[]) {
  const execution = await execute(await loadEngine(), command(...argv), options)
  const written = { stdout: '', stderr: '' }
  for await (const { stream, data } of execution.output) written[stream] += String(data)
  return { ...written, exit: await execution.exit }
}

it('the engine is the portable one, and says why', async () => {
  expect(await loadEngine()).toMatchObject({ name: 'portable', reason: 'no such library' })
})

it('a command gets its input, its environment and its folder, and each stream is told apart', async () => {
  expect(await ran('sh', '-c', 'cat; echo "$EMPTY$EQUALS $PWD" >&2; exit 3')).toEqual({
    stdout: 'typed',
    stderr: 'a=b /\n',
    exit: { kind: 'exited', code: 3 },
  })
})

it('a signal is told, and that a program cannot be started', async () => {
  expect((await ran('sh', '-c', 'kill -KILL $$')).exit).toEqual({ kind: 'signaled', signal: 'SIGKILL' })
  const missing = { kind: 'failed', cause: { code: 'ENOENT' } }
  expect((await ran('no-such-program')).exit).toMatchObject(missing)
  expect((await ran('/no-such-folder/program')).exit).toMatchObject(missing)
})

it('there are no terminals, which an execution on one is told', async () => {
  const terminal = { cols: 80, rows: 24 }
  const execution = await execute(await loadEngine(), command('true'), { ...options, terminal })
  for await (const chunk of execution.output) expect(chunk).toBeUndefined()
  expect(await execution.exit).toMatchObject({
    kind: 'failed',
    cause: { message: expect.stringContaining('terminals need the posix engine') as string },
  })
})
