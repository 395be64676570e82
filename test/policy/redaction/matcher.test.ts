import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ROOT, Trie } from '../../../src/policy/redaction/matcher.ts'

/** Few letters, so that texts begin alike, are beginnings of others, and come twice. */
const text = fc
  .array(fc.constantFrom(0, 97, 98, 255), { minLength: 1, maxLength: 6 })
  .map((bytes) => Buffer.from(bytes))

/** The nodes on the way of a text, up to where it ends or the trie does. */
function way(trie: Trie, bytes: Buffer): number[] {
  const nodes: number[] = []
  let node = ROOT
  for (const byte of bytes) {
    node = trie.child(node, byte)
    if (node === ROOT) break
    nodes.push(node)
  }
  return nodes
}

it('a trie has the beginnings of its texts and nothing else, whatever their order and however often they come', () => {
  const property = fc.property(fc.array(text, { maxLength: 12 }), text, (texts, other) => {
    const trie = new Trie(texts)
    const beginsOne = (bytes: Buffer) => texts.some((one) => one.subarray(0, bytes.length).equals(bytes))
    for (const bytes of [...texts, other]) {
      const known = Array.from(bytes, (_, at) => bytes.subarray(0, at + 1)).filter(beginsOne)
      expect(way(trie, bytes)).toHaveLength(known.length)
    }
    expect(trie.texts.map((one) => one.toString('hex')).toSorted()).toEqual(
      [...new Set(texts.map((one) => one.toString('hex')))].toSorted(),
    )
  })
  fc.assert(property, { numRuns: 500 })
})

it('two beginnings that differ have nodes that differ', () => {
  const property = fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), (texts) => {
    const trie = new Trie(texts)
    const nodes = new Map<number, string>()
    for (const bytes of texts)
      for (const [at, node] of way(trie, bytes).entries()) {
        const beginning = bytes.subarray(0, at + 1).toString('hex')
        expect(nodes.get(node) ?? beginning).toBe(beginning)
        nodes.set(node, beginning)
      }
    expect(Math.max(...nodes.keys())).toBeLessThan(trie.size)
  })
  fc.assert(property, { numRuns: 500 })
})
