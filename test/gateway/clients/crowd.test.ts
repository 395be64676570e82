import { expect, it } from 'vitest'
import { ClientSite } from '../../support/sites/client-site.ts'

const CLIENTS = 50

it('50 clients at once, terminals and scripts, each get what is theirs, and the records too', async () => {
  await using site = await ClientSite.start()
  const clients = Array.from({ length: CLIENTS }, (_, i) => ({
    client: site.client(i % 2 === 0 ? 'exec' : 'connect'),
    word: `word-of-${i}-`,
    i,
  }))
  // Output in many pieces, so that those of different sessions lie between each other on the agent's stream.
  const lines = (word: string, i: number) => `for n in $(seq 400); do echo "${word}$n"; done; exit ${i}\n`
  try {
    await Promise.all(
      clients.map(async ({ client, word, i }) => {
        if (i % 2 === 0) return client.exec(lines(word, i))
        await client.connect()
        client.type(lines(word, i))
        return client.ended()
      }),
    )
    for (const { client, word, i } of clients) {
      const { stdout, code } = await client.ended()
      expect(code).toBe(i)
      const numbers = stdout.match(new RegExp(`${word}\\d+`, 'g'))
      expect(numbers).toEqual(Array.from({ length: 400 }, (_, n) => `${word}${n + 1}`))
      const others = stdout.match(/word-of-\d+-/g)?.filter((found) => found !== word)
      expect(others).toEqual([])
      const record = await site.recorded(await client.sid())
      expect([record.exit_code, record.events.some(({ text }) => text.includes(`${word}400`))]).toEqual([
        i,
        true,
      ])
    }
    expect(new Set(await Promise.all(clients.map(({ client }) => client.sid()))).size).toBe(CLIENTS)
  } finally {
    await Promise.all(clients.map(({ client }) => client.leave()))
  }
})
