import { describe, expect, it } from 'vitest'
import { CompiledCache } from '../../src/policy/compiled-cache.ts'

/** Says how often it was compiled. */
function counted(bytes: () => number = () => 1000) {
  const compiled: string[] = []
  const cache = new CompiledCache<{ readonly bytes: number }>()
  const get = (text: string) =>
    cache.get(Buffer.from(text), () => {
      compiled.push(text.slice(0, 10))
      return Promise.resolve({
        get bytes() {
          return bytes()
        },
      })
    })
  return { compiled, get }
}

describe('the cache of compiled rules', () => {
  it('compiles the same bytes once, and other bytes anew', async () => {
    const { compiled, get } = counted()
    const first = await get('a')
    expect(await get('a')).toBe(first)
    expect(await get('b')).not.toBe(first)
    expect(compiled).toEqual(['a', 'b'])
  })

  it('keeps the eight that were used last', async () => {
    const { compiled, get } = counted()
    for (const text of 'abcdefgh') await get(text)
    await get('a')
    await get('i')
    await get('a')
    expect(compiled.join('')).toBe('abcdefghi')
    await get('b')
    expect(compiled.join('')).toBe('abcdefghib')
  })

  it('keeps no more than 16 MiB of memory, also when what is kept has grown', async () => {
    let bytes = 1000
    const { compiled, get } = counted(() => bytes)
    for (const text of 'abc') await get(text)
    bytes = 6 * 1024 * 1024
    await get('c')
    for (const text of 'cba') await get(text)
    expect(compiled.join('')).toBe('abca')
  })

  it('keeps nothing of what cannot be compiled, nor of rules longer than 256 KiB', async () => {
    const { compiled, get } = counted()
    const cache = new CompiledCache<{ readonly bytes: number }>()
    await expect(cache.get(Buffer.from('a'), () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    )
    expect(await cache.get(Buffer.from('a'), () => Promise.resolve({ bytes: 1 }))).toEqual({ bytes: 1 })
    const long = 'x'.repeat(256 * 1024 + 1)
    await get(long)
    await get(long)
    expect(compiled).toHaveLength(2)
  })
})
