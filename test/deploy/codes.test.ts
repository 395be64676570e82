import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { codeOfWords, hoopWords } from '../../src/wire/gateway-words.ts'

const source = new URL('../../src/', import.meta.url)

describe("hoop's sentences", () => {
  /** Go says it too, about a connection or a text that ends. */
  const ANYBODYS = 'EOF'
  const sentences = Object.values(hoopWords)
    .map((words) => (typeof words === 'string' ? words : words('exec', 'x')))
    .filter((sentence) => sentence !== ANYBODYS)

  it('stand in no other file of the source', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.endsWith('gateway-words.ts'),
    )
    const repeated = files.flatMap((file) => {
      const text = readFileSync(new URL(file, source), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, '')
      return sentences
        .filter((sentence) => ["'", '"', '`'].some((quote) => text.includes(quote + sentence + quote)))
        .map((sentence) => `${file}: ${sentence}`)
    })
    expect(repeated).toEqual([])
  })

  it.each([
    [hoopWords.agentIsOffline, 'agent-offline'],
    [hoopWords.disabled('runbooks'), 'not-permitted'],
    [hoopWords.sessionKilled, 'session-killed'],
    [hoopWords.agentHasDisconnected, 'agent-lost'],
    [hoopWords.agentHasEnded, 'agent-lost'],
    [hoopWords.gatewayShutdown, 'gateway-stopped'],
    [hoopWords.sessionExpired, 'session-expired'],
    ['context canceled', undefined],
  ])('mean what our own code for them means: %s', (sentence, code) => {
    expect(codeOfWords(sentence)).toBe(code)
  })
})
