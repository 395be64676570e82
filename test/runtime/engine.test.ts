import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

it('the engine is the portable one where libc is another, says why, and runs commands', () => {
  const script = `
    import koffi from 'koffi'
    koffi.load = () => { throw new Error('no such library') }
    const { loadEngine } = await import('./dist/runtime/engine.js')
    const { execute } = await import('./dist/runtime/execution.js')
    const engine = await loadEngine()
    const path = process.env.PATH
    const argv = ['sh', '-c', 'echo out; exit 3'].map((word) => Buffer.from(word))
    const command = { argv, environment: [Buffer.from('PATH=' + path)], path, cwd: '/', stdin: Buffer.alloc(0) }
    const options = { graceMs: 200, instance: crypto.randomUUID(), marker: 'MARKER=x' }
    const execution = await execute(engine, command, options)
    let output = ''
    for await (const { data } of execution.output) output += data
    console.log(engine.name, engine.reason, output.trim(), JSON.stringify(await execution.exit))`
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect([ran.stdout, ran.stderr]).toEqual(['portable no such library out {"kind":"exited","code":3}\n', ''])
})
