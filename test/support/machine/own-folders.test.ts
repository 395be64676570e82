import { spawnSync } from 'node:child_process'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { outer } from './own-folders.ts'
import { main } from '../sites/program.ts'

it('a test has a home and a temporary folder that nobody else has', () => {
  expect(path.dirname(homedir())).toBe(tmpdir())
  expect(['/tmp', '/dev/shm', outer['TMPDIR']]).toContain(path.dirname(tmpdir()))
  expect(homedir()).not.toBe(outer['HOME'])
})

it("a program that is given a test's environment writes below its folder, also as root", () => {
  const key = { HOOP_KEY: 'grpc://a:a-key-that-nobody-has@127.0.0.1:1?mode=standard' }
  const env = { ...process.env, ...key }
  const { stdout } = spawnSync(process.execPath, [main, 'config', 'print'], { env, encoding: 'utf8' })
  for (const [setting, name] of [
    ['runtime-dir', 'runtime'],
    ['state-dir', 'state'],
  ] as const)
    expect(stdout).toMatch(new RegExp(`^${setting} +${path.join(tmpdir(), name)} `, 'm'))
})
