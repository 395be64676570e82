import { useEffect, useRef, useState } from 'preact/hooks'
import type { Editor, EditorFacts } from './editor.ts'
import { keepDraft, keptDraft, whyNotKept } from './kept.ts'

/** How long the view waits for the next key before it stores the draft. */
const KEEPING_MS = 400

const NOTHING: EditorFacts = { lines: 1, length: 0, selected: 0, selectedLines: 0 }

/** The text in the editor. Each connection has its own draft. */
export function useText(connection: string) {
  const editor = useRef<Editor | undefined>(undefined)
  const [facts, setFacts] = useState(NOTHING)
  const [version, setVersion] = useState(0)
  const [why, setWhy] = useState<string | undefined>(undefined)
  const [first] = useState(() => keptDraft(connection))
  /** Texts of this visit, also those that the browser does not keep. */
  const texts = useRef(new Map<string, string>())
  const shown = useRef(connection)
  /** Whether the editor has a text that is not stored. A ref, because the editor keeps its first `onReady`. */
  const isChanged = useRef(false)
  const keep = () => {
    if (editor.current === undefined) return
    const text = editor.current.text()
    if (isChanged.current) keepDraft(shown.current, text)
    isChanged.current = false
    setWhy(whyNotKept(text))
  }
  useEffect(() => {
    const before = shown.current
    if (before === connection || editor.current === undefined) return
    const text = editor.current.text()
    texts.current.set(before, text)
    keepDraft(before, text)
    shown.current = connection
    editor.current.open(texts.current.get(connection) ?? keptDraft(connection))
  }, [connection])
  useEffect(() => {
    const timer = setTimeout(keep, KEEPING_MS)
    return () => clearTimeout(timer)
  }, [version])
  useEffect(() => {
    addEventListener('pagehide', keep)
    return () => removeEventListener('pagehide', keep)
  }, [])
  return {
    editor,
    facts,
    version,
    why,
    first,
    onReady: (opened: Editor | undefined) => {
      if (opened === undefined) keep()
      editor.current = opened
    },
    onChange: (next: EditorFacts, isEdited: boolean) => {
      if (isEdited) isChanged.current = true
      setFacts(next)
      setVersion((count) => count + 1)
    },
  }
}
