import { expect, it, vi } from 'vitest'
import { StatementText } from '../../src/wire/messages/statement-text.ts'

it('a statement that arrives byte by byte is kept in few pieces, because a piece takes more memory than a byte', () => {
  const text = new StatementText('postgres')
  for (let sent = 0; sent < 20_000; sent += 1) text.add(Buffer.of(sent % 251))
  using joined = vi.spyOn(Buffer, 'concat')
  expect(text.kept).toEqual(Buffer.from(Array.from({ length: 16 * 1024 }, (_, at) => at % 251)))
  expect(joined.mock.lastCall?.[0].length).toBeLessThan(100)
})
