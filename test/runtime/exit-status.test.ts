import { expect, it } from 'vitest'
import { exitCode, SpawnError } from '../../src/runtime/exit-status.ts'

it.each([
  [127, ['ENOENT', 'ENOTDIR']],
  [126, ['EACCES', 'EPERM', 'ENOEXEC', 'E2BIG', 'EISDIR', 'ELOOP', 'ETXTBSY']],
  [254, ['EMFILE', 'EAGAIN', 'ENOMEM']],
])('the code is %i for a program that was not started because of %s', (code, causes) => {
  const codes = causes.map((cause) => exitCode({ kind: 'failed', cause: new SpawnError(cause, 'no') }))
  expect(codes).toEqual(causes.map(() => code))
})

it('there is no code for what failed otherwise', () => {
  expect(exitCode({ kind: 'failed', cause: new Error('ENOENT') })).toBe(254)
})
