import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readAll } from '../../../src/basics/files/small-file.ts'

const tooLong = () => new Error('too long')

test('all pieces become one, up to the limit', async () => {
  const pieces = [Buffer.from('ab'), Buffer.from(''), Buffer.from('c')]
  expect((await readAll(pieces, 3, tooLong)).toString()).toBe('abc')
  expect((await readAll([], 0, tooLong)).length).toBe(0)
})

test('a source that has more is ended', async () => {
  const source = Readable.from([Buffer.from('ab'), Buffer.from('c'), Buffer.from('d')])
  await expect(readAll(source, 2, tooLong)).rejects.toThrow('too long')
  expect(source.destroyed).toBe(true)
})

test('what the source throws is passed on', async () => {
  const source = Readable.from(
    (function* () {
      yield Buffer.from('a')
      throw new Error('broke off')
    })(),
  )
  await expect(readAll(source, 9, tooLong)).rejects.toThrow('broke off')
})
