import { useEffect, useRef } from 'preact/hooks'
import type { Connection } from '../../api/types.ts'
import { openEditor, type Editor, type EditorFacts } from './editor.ts'

interface EditorFieldProps {
  readonly connection: Connection
  /** The line that a rule refuses, or that failed. */
  readonly markedLine: number | undefined
  readonly text: string
  readonly onReady: (editor: Editor | undefined) => void
  readonly onChange: (facts: EditorFacts, isEdited: boolean) => void
  readonly onRun: () => void
}

/** The editor. Its code is in a file of its own, which only this view loads. */
export default function EditorField(props: EditorFieldProps) {
  const { connection, markedLine, text, onReady } = props
  const place = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor | undefined>(undefined)
  const latest = useRef(props)
  latest.current = props
  useEffect(() => {
    if (place.current === null) return undefined
    const opened = openEditor(place.current, {
      text,
      onChange: (facts, isEdited) => latest.current.onChange(facts, isEdited),
      onRun: () => latest.current.onRun(),
    })
    editor.current = opened
    onReady(opened)
    return () => {
      onReady(undefined)
      opened[Symbol.dispose]()
    }
  }, [])
  const { type, subtype } = connection
  useEffect(() => void editor.current?.colourFor({ type, subtype }), [type, subtype])
  useEffect(() => editor.current?.markLine(markedLine), [markedLine])
  return <div class="editor" ref={place} />
}
