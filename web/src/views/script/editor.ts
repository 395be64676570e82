import { defaultKeymap, history, historyKeymap, isolateHistory } from '@codemirror/commands'
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from '@codemirror/search'
import {
  Compartment,
  EditorState,
  Prec,
  RangeSet,
  StateEffect,
  StateField,
  type Extension,
} from '@codemirror/state'
import {
  Decoration,
  EditorView,
  GutterMarker,
  gutterLineClass,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { makeWithStyles } from '../terminal/adopted-styles.ts'
import { loadLanguage } from './languages.ts'

/** What the view shows about the text. All of it is known without reading the text. */
export interface EditorFacts {
  readonly lines: number
  readonly length: number
  /** Number of selected characters. */
  readonly selected: number
  /** Number of lines that the selection touches. */
  readonly selectedLines: number
}

export interface Editor extends Disposable {
  readonly text: () => string
  /** The selected text, or the whole text if nothing is selected. `line` is its first line, from 1. */
  readonly meant: () => { readonly text: string; readonly line: number; readonly from: number }
  /** Replaces the text as one change, which Ctrl+Z takes back. */
  readonly replace: (text: string) => void
  /** Shows another text, without the changes of the text before. */
  readonly open: (text: string) => void
  readonly insert: (text: string) => void
  readonly colourFor: (connection: Parameters<typeof loadLanguage>[0]) => Promise<void>
  /** Marks the line that a rule refuses, or that failed; undefined removes the mark. */
  readonly markLine: (line: number | undefined) => void
  readonly find: () => void
  readonly focus: () => void
}

interface EditorOptions {
  readonly text: string
  /** Called after each change of the text or the selection. `isEdited`: the text has changed. */
  readonly onChange: (facts: EditorFacts, isEdited: boolean) => void
  readonly onRun: () => void
}

/** Opens an editor. Tab moves the focus as everywhere on the page; Ctrl+] indents. */
export function openEditor(parent: HTMLElement, { text, onChange, onRun }: EditorOptions): Editor {
  const language = new Compartment()
  const extensions = [
    ...SHARED,
    language.of([]),
    Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => (onRun(), true), preventDefault: true }])),
    EditorView.updateListener.of(({ state, docChanged, selectionSet }) => {
      if (docChanged || selectionSet) onChange(factsOf(state), docChanged)
    }),
  ]
  const made = (doc: string) => EditorState.create({ doc, extensions })
  const view = makeWithStyles(() => new EditorView({ parent, state: made(text) }))
  let wanted: Parameters<typeof loadLanguage>[0] | undefined
  const colour = async (): Promise<void> => {
    const of = wanted
    if (of === undefined) return
    const loaded = await loadLanguage(of)
    if (wanted === of) view.dispatch({ effects: language.reconfigure(loaded) })
  }
  onChange(factsOf(view.state), false)
  return {
    text: () => view.state.doc.toString(),
    meant: () => meantIn(view.state),
    replace: (next) => {
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: next },
        selection: { anchor: 0 },
        annotations: isolateHistory.of('full'),
      })
    },
    open: (next) => {
      view.setState(made(next))
      onChange(factsOf(view.state), false)
      void colour()
    },
    insert: (next) => {
      view.dispatch(view.state.replaceSelection(next), { scrollIntoView: true })
      view.focus()
    },
    colourFor: (connection) => {
      wanted = connection
      return colour()
    },
    markLine: (line) => view.dispatch({ effects: refuse.of(line) }),
    find: () => void openSearchPanel(view),
    focus: () => view.focus(),
    [Symbol.dispose]: () => view.destroy(),
  }
}

function factsOf({ doc, selection: { main } }: EditorState): EditorFacts {
  const [from, to] = [doc.lineAt(main.from), doc.lineAt(main.to)]
  return {
    lines: doc.lines,
    length: doc.length,
    selected: main.to - main.from,
    selectedLines: main.empty ? 0 : to.number - from.number + 1,
  }
}

function meantIn({ doc, selection: { main } }: EditorState): ReturnType<Editor['meant']> {
  if (main.empty) return { text: doc.toString(), line: 1, from: 0 }
  return { text: doc.sliceString(main.from, main.to), line: doc.lineAt(main.from).number, from: main.from }
}

const refuse = StateEffect.define<number | undefined>()
const refusedLine = Decoration.line({ class: 'is-refused' })
const refusedNumber = new (class extends GutterMarker {
  override elementClass = 'is-refused'
})()

/** Place of the refused line. The mark moves with the text. */
const refused = StateField.define<number | undefined>({
  create: () => undefined,
  update: (place, { effects, changes, newDoc }) => {
    const asked = effects.find((effect) => effect.is(refuse))
    if (asked === undefined) return place === undefined ? undefined : changes.mapPos(place)
    const line = asked.value
    return line === undefined || line > newDoc.lines ? undefined : newDoc.line(line).from
  },
  provide: (field) => [
    EditorView.decorations.from(field, (place) => {
      return place === undefined ? Decoration.none : Decoration.set(refusedLine.range(place))
    }),
    gutterLineClass.from(field, (place): RangeSet<GutterMarker> => {
      return RangeSet.of(place === undefined ? [] : [refusedNumber.range(place)])
    }),
  ],
})

/** `classHighlighter` only sets classes: the colours are in script.css, for both themes. */
const SHARED: readonly Extension[] = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  history(),
  bracketMatching(),
  indentOnInput(),
  syntaxHighlighting(classHighlighter),
  highlightSelectionMatches(),
  search({ top: true }),
  refused,
  keymap.of([...searchKeymap, ...historyKeymap, ...defaultKeymap]),
  EditorView.contentAttributes.of({
    'aria-label': 'Text of the script',
    tabindex: '0',
    autocapitalize: 'off',
    autocorrect: 'off',
    spellcheck: 'false',
    translate: 'no',
  }),
]
