import { useEffect, useRef, useState } from 'preact/hooks'
import { readConnections, runScript } from '../../api/gateway.ts'
import { mayRun } from '../../api/person.ts'
import { asRefused } from '../../api/request.ts'
import type { Connection, ForeseenScript } from '../../api/types.ts'
import { ConfirmationField, focusOnProblem, useConfirmation } from '../../form/confirmation.tsx'
import { ReasonField, useReason } from '../../form/reason-field.tsx'
import { useAction } from '../../parts/action.ts'
import { copyText } from '../../parts/clipboard.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { Opened } from '../../parts/opened.tsx'
import { changeQuery, query } from '../../parts/router.ts'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { JiraFields, useJira } from '../runbooks/jira.tsx'
import type { Editor, EditorFacts } from './editor.ts'
import { canExplain, explainScript } from './explain.ts'
import {
  ApprovalText,
  foreseeText,
  ForeseenChips,
  RefusalNote,
  useForeseen,
  type Refusal,
} from './foreseen.tsx'
import { savedScripts } from './kept.ts'
import { languageOf, wordOf } from './language.ts'
import { Outcome } from './outcome.tsx'
import { SaveDialog } from './save-dialog.tsx'
import { Side } from './side.tsx'
import { useText } from './text.ts'
import './script.css'

/** A script of one's own on a connection. */
export default function ScriptView() {
  const { value, error, reload } = useLoaded(readConnections, ['agents'])
  const connections = (value ?? []).filter(({ access_mode_exec: mode }) => mode === 'enabled')
  return (
    <section class="view script-view">
      {(value === undefined || connections.length === 0 || !mayRun()) && (
        <header class="head">
          <h1>Script</h1>
        </header>
      )}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined &&
        (!mayRun() ? (
          <Empty icon="script" title="Auditors cannot run scripts.">
            Auditors can see the runs of others, but cannot run anything.
          </Empty>
        ) : connections.length === 0 ? (
          <Empty icon="script" title="There is no connection on which you may run scripts.">
            An admin allows scripts by the setting access.exec of a connection. Runbooks need no such setting.
          </Empty>
        ) : (
          <Desk connections={connections} />
        ))}
    </section>
  )
}

const loadEditor = () => import('./editor-field.tsx')
const loadRunbookDialog = () => import('./runbook-dialog.tsx')

function Desk({ connections }: { readonly connections: readonly Connection[] }) {
  const asked = query.value.get('connection')
  const connection = connections.find(({ name }) => name === asked) ?? connections[0]
  if (connection === undefined) return null
  return <Working connection={connection} connections={connections} />
}

interface WorkingProps {
  readonly connection: Connection
  readonly connections: readonly Connection[]
}

function Working({ connection, connections }: WorkingProps) {
  const { name } = connection
  const text = useText(name)
  const { facts, version, editor } = text
  const seen = useForeseen(name, version, () => editor.current?.meant())
  const jira = useJira(connection)
  const [failedLine, setFailedLine] = useState<number | undefined>(undefined)
  const [late, setLate] = useState<Refusal | undefined>(undefined)
  const [dialog, setDialog] = useState<'save' | 'runbook' | undefined>(undefined)
  const [saved, setSaved] = useState(savedScripts)
  const { busy, error, act } = useAction(() => undefined)
  useEffect(() => setLate(undefined), [name, version])
  const refused = seen.refused ?? late
  const mustConfirm = seen.foreseen?.confirm === true
  const reason = useReason(seen.foreseen?.reason ?? null)
  const isAsked = mustConfirm || reason.need !== null || jira.fields.length > 0 || jira.error !== undefined
  const confirmation = useConfirmation(mustConfirm ? name : undefined)
  const asked = useRef<HTMLDivElement>(null)
  const canRun = refused === undefined && facts.length > 0
  const isComplete = () => {
    if ([reason.check(), confirmation.check()].every(Boolean)) return true
    focusOnProblem(asked.current)
    return false
  }
  const send = async (meant: Meant | undefined) => {
    if (meant === undefined || meant.text.trim() === '') return
    const answer = await foreseeText(name, meant, new AbortController().signal)
    setLate(answer.refused)
    if (answer.refused !== undefined || (answer.confirm && confirmation.typed.trim() !== name)) return
    const { session_id: session } = await runScript({
      ...{ connection: name, script: meant.text, when_approved: true },
      ...(jira.fields.length > 0 && { jira_fields: jira.values }),
      ...reason.sent(),
    })
    confirmation.type('')
    changeQuery({ connection: name, session, tab: '' })
  }
  const explain = () => {
    const meant = editor.current?.meant()
    if (meant === undefined || busy) return
    const explained = explainScript(meant.text, languageOf(connection))
    if ('why' in explained) toast(explained.why, { tone: 'wait', icon: 'info' })
    else if (isComplete()) act(() => send({ ...meant, text: explained.script }))
  }
  const run = () => {
    if (canRun && !busy && isComplete()) act(() => send(editor.current?.meant()))
  }
  const session = query.value.get('session') ?? ''
  return (
    <>
      <header class="head">
        <h1>Script</h1>
        <div class="line push">
          <button
            type="button"
            class="button"
            aria-label="Save as a runbook…"
            title="Save as a runbook"
            disabled={facts.length === 0}
            onClick={() => setDialog('runbook')}
          >
            <Icon name="book" />
            <span class="only-wide">Save as a runbook…</span>
          </button>
          <RunButton {...{ canRun, busy, run, facts }} foreseen={seen.foreseen} />
        </div>
      </header>
      <section class="card guard" aria-label="Where it runs">
        <div class="guard-where">
          <Icon name="database" />
          <label class="said-only" for="script-connection">
            Connection
          </label>
          <select
            id="script-connection"
            value={name}
            onChange={(event) => changeQuery({ connection: event.currentTarget.value, session: '', tab: '' })}
          >
            {connections.map((one) => (
              <option key={one.name} value={one.name}>
                {visible(one.name)}
              </option>
            ))}
          </select>
        </div>
        {seen.foreseen !== undefined && <ForeseenChips foreseen={seen.foreseen} />}
      </section>
      {seen.error !== undefined && <Problem error={seen.error} />}
      <div class="desk">
        <Side
          connection={name}
          saved={saved}
          hasTables={seen.foreseen?.schema === true}
          onInsert={(text) => editor.current?.insert(text)}
          onSaved={() => setSaved(savedScripts())}
          onOpen={(next) => {
            editor.current?.replace(next)
            editor.current?.focus()
          }}
        />
        <div class="stack desk-main">
          <section class="card" aria-label="Script">
            <Tools
              {...{ connection, facts, editor }}
              onSave={() => setDialog('save')}
              onExplain={seen.foreseen?.review === null ? explain : undefined}
            />
            <Opened
              load={loadEditor}
              props={{
                connection,
                markedLine: refused?.line ?? failedLine,
                text: text.first,
                onReady: text.onReady,
                onChange: text.onChange,
                onRun: run,
              }}
            />
            {(isAsked || refused !== undefined || error !== undefined) && (
              <div class="card-body" ref={asked}>
                {refused !== undefined && <RefusalNote refused={refused} connection={name} />}
                <JiraFields jira={jira} />
                <ReasonField reason={reason} />
                <ConfirmationField confirmation={confirmation} />
                {error !== undefined && <Problem error={error} />}
              </div>
            )}
            {(text.why ?? seen.foreseen?.review ?? null) !== null && (
              <div class="card-foot soft">
                {text.why !== undefined && <p>This browser does not keep the draft: {text.why}.</p>}
                {seen.foreseen !== undefined && <ApprovalText review={seen.foreseen.review} />}
              </div>
            )}
          </section>
          {session !== '' && (
            <Outcome
              id={session}
              text={() => editor.current?.text() ?? ''}
              version={version}
              onFailedLine={setFailedLine}
            />
          )}
        </div>
      </div>
      {dialog === 'save' && (
        <SaveDialog
          connection={name}
          text={editor.current?.text() ?? ''}
          saved={saved}
          onClose={() => setDialog(undefined)}
          onSaved={() => setSaved(savedScripts())}
        />
      )}
      {dialog === 'runbook' && (
        <Opened
          load={loadRunbookDialog}
          props={{
            text: editor.current?.text() ?? '',
            meant: editor.current?.meant(),
            language: languageOf(connection),
            onClose: () => setDialog(undefined),
          }}
        />
      )}
    </>
  )
}

type Meant = ReturnType<Editor['meant']>

interface RunButtonProps {
  readonly canRun: boolean
  readonly busy: boolean
  readonly run: () => void
  readonly facts: EditorFacts
  readonly foreseen: ForeseenScript | undefined
}

function RunButton({ canRun, busy, run, facts, foreseen }: RunButtonProps) {
  const isAsking = (foreseen?.review ?? null) !== null
  const what = isAsking ? 'Ask for approval' : facts.selected > 0 ? 'Run the selection' : 'Run'
  return (
    <button
      type="button"
      class="button is-primary"
      title="Ctrl+Enter in the editor"
      disabled={!canRun || busy}
      onClick={run}
    >
      <Icon name={isAsking ? 'approve' : 'run'} />
      {what}
      <kbd class="only-wide" aria-hidden="true">
        Ctrl ↵
      </kbd>
    </button>
  )
}

interface ToolsProps {
  readonly connection: Connection
  readonly facts: EditorFacts
  readonly editor: { readonly current: Editor | undefined }
  readonly onSave: () => void
  /** Undefined if the server cannot be asked now. */
  readonly onExplain: (() => void) | undefined
}

function Tools({ connection, facts, editor, onSave, onExplain }: ToolsProps) {
  const { lines, length, selected, selectedLines } = facts
  const copy = () => {
    copyText(editor.current?.meant().text ?? '').then(
      () => toast('The script is copied.'),
      (error: unknown) => {
        toast(`The script is not copied: ${asRefused(error).message}`, { tone: 'bad', icon: 'alert' })
      },
    )
  }
  return (
    <div class="card-head is-tool">
      <span class="soft small" role="status">
        {selected > 0
          ? `${counted(selectedLines, 'line')} selected: only the selection runs`
          : `${counted(lines, 'line')}, ${wordOf(languageOf(connection))}`}
      </span>
      <span class="push" />
      {canExplain(languageOf(connection)) && (
        <button
          type="button"
          class="button is-quiet is-small"
          aria-label="Explain"
          title={
            onExplain === undefined
              ? 'Not where scripts need approval'
              : 'The server says how it would run the selection, and does not run it'
          }
          disabled={onExplain === undefined || length === 0}
          onClick={onExplain}
        >
          <Icon name="info" small />
          <span class="only-wide">Explain</span>
        </button>
      )}
      <button
        type="button"
        class="button is-quiet is-small"
        aria-label="Find"
        onClick={() => editor.current?.find()}
      >
        <Icon name="search" small />
        <span class="only-wide">Find</span>
      </button>
      <button
        type="button"
        class="button is-quiet is-small"
        aria-label="Save"
        disabled={length === 0}
        onClick={onSave}
      >
        <Icon name="mark" small />
        <span class="only-wide">Save</span>
      </button>
      <button
        type="button"
        class="button is-quiet is-icon is-small"
        aria-label="Copy the script"
        title="Copy the script"
        disabled={length === 0}
        onClick={copy}
      >
        <Icon name="copy" small />
      </button>
    </div>
  )
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString()} ${noun}${count === 1 ? '' : 's'}`
}
