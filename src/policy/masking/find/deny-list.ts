import { readRune, widthOfRune } from '../../guardrails/automaton/runes.ts'
import { WordTrie } from '../../guardrails/automaton/word-trie.ts'
import type { Work } from '../../work.ts'
import { folded, isWordRune, runeBefore } from './folding.ts'
import type { Finder, Subject } from './subject.ts'

/** Texts and code points that are looked at in one go. */
const TEXTS_IN_ONE_GO = 200
const RUNES_IN_ONE_GO = 20_000

/** The texts of a list in any case, with no letter, digit or `_` before and after. The longest counts. */
export function* denyList(texts: readonly string[]): Work<Finder> {
  const trie = new WordTrie()
  for (const [n, text] of texts.entries()) {
    trie.add(foldedText(text), 0)
    if (n % TEXTS_IN_ONE_GO === 0) yield
  }
  return function* (subject, from, found) {
    const { bytes } = subject
    let isApart = !isWordRune(runeBefore(bytes, from))
    let due = from + RUNES_IN_ONE_GO
    for (let at = from; at < bytes.length;) {
      const end = isApart ? longestAt(trie, subject, at) : at
      if (end > at) found(at, end)
      const rune = end > at ? runeBefore(bytes, end) : readRune(bytes, at)
      at = end > at ? end : at + width(rune)
      isApart = !isWordRune(rune)
      if (at < due) continue
      due = at + RUNES_IN_ONE_GO
      yield
    }
  }
}

function foldedText(text: string): string {
  return String.fromCodePoint(...Array.from(text, (character) => folded(character.codePointAt(0) ?? 0)))
}

/** Where the longest text ends that begins here, or here when none does. */
function longestAt(trie: WordTrie, { bytes, whole }: Subject, start: number): number {
  let [node, end] = [0, start]
  for (let at = start; at < bytes.length;) {
    const rune = readRune(bytes, at)
    const child = rune < 0 ? undefined : trie.child(node, folded(rune))
    if (child === undefined) break
    node = child
    at += width(rune)
    if (trie.ends(node) !== undefined && !isWordRune(readRune(whole ?? bytes, at))) end = at
  }
  return end
}

function width(rune: number): number {
  return rune < 0 ? 1 : widthOfRune(rune)
}
