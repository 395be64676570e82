import { useMemo, useState } from 'preact/hooks'
import { TextField } from '../../form/text-field.tsx'
import { CopiedLines } from '../../parts/copied-lines.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { saveFile } from '../../parts/save-file.ts'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { isSql, type Language } from './language.ts'
import { literalsIn, whyNoParameters, type Literal } from './literals.ts'
import { PARAMETER_NAME, runbookFile, runbookFileName, titleIn } from './runbook-file.ts'

interface RunbookDialogProps {
  readonly text: string
  /** What is selected. Values in it are marked at first. */
  readonly meant: { readonly text: string; readonly from: number } | undefined
  readonly language: Language
  readonly onClose: () => void
}

/** Shows the file of a runbook, to commit by oneself. The page writes to no repository. */
export default function RunbookDialog({ text, meant, language, onClose }: RunbookDialogProps) {
  const literals = useMemo(() => literalsIn(text, language), [text, language])
  const [title, setTitle] = useState(() => titleIn(text))
  const [marks, setMarks] = useState<ReadonlyMap<string, Mark>>(() => marksIn(literals, text, meant))
  const parameters = literals.flatMap((literal) => {
    const { name = literal.name, description = '' } = marks.get(literal.written) ?? {}
    return marks.has(literal.written) ? [{ literal, name: name.trim(), description }] : []
  })
  const problem = problemOf(parameters.map(({ name }) => name))
  const why = whyNoParameters(text, language)
  const file = problem === undefined ? runbookFile(text, { title, language, parameters }) : ''
  const fileName = runbookFileName(title, language)
  const change = (literal: Literal, mark: Mark | undefined) => {
    const next = new Map(marks)
    if (mark === undefined) next.delete(literal.written)
    else next.set(literal.written, mark)
    setMarks(next)
  }
  const isTemplate = text.includes('{{')
  return (
    <Dialog title="Save as a runbook" onClose={onClose}>
      <p class="soft small">
        Commit this file to the repository of your runbooks. The page itself writes to no repository.
      </p>
      <TextField label="Title" value={title} onValue={setTitle} autoFocus />
      {why !== undefined && (
        <Note tone="wait" title="This script gets no parameters">
          <p>{why}</p>
        </Note>
      )}
      {literals.length > 0 && (
        <fieldset class="stack parameters">
          <legend>Values that become parameters</legend>
          {literals.map((literal) => (
            <LiteralRow
              key={literal.written}
              literal={literal}
              mark={marks.get(literal.written)}
              onMark={(mark) => change(literal, mark)}
            />
          ))}
        </fieldset>
      )}
      {problem !== undefined && (
        <Note tone="bad" role="alert">
          <p>{problem}</p>
        </Note>
      )}
      {problem === undefined && !isTemplate && <CopiedLines label="The file" text={file} />}
      {parameters.some(({ literal }) => literal.kind === 'text') && (
        <p class="hint">
          <code>{isSql(language) ? 'sqlquote' : 'shellquote'}</code> keeps a value inside of its quotes. A
          gateway of hoop does not know it.
        </p>
      )}
      <div class="line">
        <button type="button" class="button push" onClick={onClose}>
          Close
        </button>
        <button
          type="button"
          class="button is-primary"
          disabled={file === '' || isTemplate}
          title={fileName}
          onClick={() => {
            saveFile(new Blob([file], { type: 'text/plain;charset=utf-8' }), fileName)
            toast(`The file is saved as ${fileName}.`)
          }}
        >
          <Icon name="download" />
          Download the file
        </button>
      </div>
    </Dialog>
  )
}

interface Mark {
  readonly name: string
  readonly description: string
}

function marksIn(
  literals: readonly Literal[],
  text: string,
  meant: RunbookDialogProps['meant'],
): ReadonlyMap<string, Mark> {
  const isAll = meant === undefined || meant.text.length === text.length
  const from = meant?.from ?? 0
  const to = from + (meant?.text.length ?? 0)
  const isTouched = ({ places, written }: Literal) =>
    places.some((at) => at < to && at + written.length > from)
  return new Map(
    literals
      .filter((literal) => !isAll && isTouched(literal))
      .map(({ written, name }) => [written, { name, description: '' }]),
  )
}

function problemOf(names: readonly string[]): string | undefined {
  const wrong = names.find((name) => !PARAMETER_NAME.test(name))
  if (wrong !== undefined)
    return `“${visible(wrong)}” cannot be the name of a parameter: use letters, digits and underscores.`
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  return twice === undefined ? undefined : `Two values have the name ${twice}.`
}

interface LiteralRowProps {
  readonly literal: Literal
  readonly mark: Mark | undefined
  readonly onMark: (mark: Mark | undefined) => void
}

function LiteralRow({ literal, mark, onMark }: LiteralRowProps) {
  const { written, name, places } = literal
  const shown = visible(written.length > 60 ? `${written.slice(0, 60)}…` : written)
  return (
    <div class="parameter">
      <label class="tick">
        <input
          type="checkbox"
          checked={mark !== undefined}
          onChange={(event) => onMark(event.currentTarget.checked ? { name, description: '' } : undefined)}
        />
        <span>
          <code>{shown}</code>
          {places.length > 1 && <span class="soft"> {places.length} times</span>}
        </span>
      </label>
      {mark !== undefined && (
        <div class="pair is-close">
          <TextField
            label={`Name of ${shown}`}
            value={mark.name}
            onValue={(next) => onMark({ ...mark, name: next })}
            required
          />
          <TextField
            label={`Description of ${shown}`}
            value={mark.description}
            onValue={(next) => onMark({ ...mark, description: next })}
          />
        </div>
      )}
    </div>
  )
}
