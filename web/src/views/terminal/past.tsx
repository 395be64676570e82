import { useCallback, useMemo, useState } from 'preact/hooks'
import type { Session } from '../../api/types.ts'
import { markedText } from '../../output/output-row.tsx'
import { useSearch } from '../../output/search.ts'
import { SearchField } from '../../output/output-tools.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { useRowWindow } from '../../parts/lists/window.ts'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { bytesText, CLOCK } from '../../parts/moment.tsx'
import { saveFile } from '../../parts/save-file.ts'
import { visible } from '../../parts/visible.ts'
import { downloadName } from '../sessions/file-name.ts'
import { commandsOf, fileOf, rowsOf, type Command } from './past-lines.ts'
import type { PastLine } from './past-text.ts'
import { Player } from './player.tsx'
import { readRecording, type Recording } from './recording.ts'
import { readText, type ReadText } from './read-text.ts'
import './past.css'

const PAST_ROW_PX = 20

/** A past terminal: its text, to read and to search, and its replay. */
export function Past({ session }: { readonly session: Session }) {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const recording = await readRecording(session.id, signal)
      return { recording, text: await readText(recording, signal) }
    },
    [session.id],
  )
  const { value, error, reload } = useLoaded(load)
  if (error?.status === 403)
    return <Empty icon="eye">You may see this session, but not what the terminal showed.</Empty>
  if (error !== undefined) return <Problem error={error} onRetry={reload} />
  if (value === undefined) return <Loading rows={8} />
  if (value.recording.happenings.length === 0)
    return <Empty icon="terminal">The terminal has written nothing.</Empty>
  return <Shown session={session} {...value} />
}

interface ShownProps {
  readonly session: Session
  readonly recording: Recording
  readonly text: ReadText
}

function Shown({ session, recording, text }: ShownProps) {
  const [replayFrom, setReplayFrom] = useState<number | undefined>(undefined)
  const [marked, setMarked] = useState<number | undefined>(undefined)
  const { lines } = text
  const rows = useRowWindow(lines.length, PAST_ROW_PX)
  const goTo = useCallback(
    (row: number) => {
      setReplayFrom(undefined)
      setMarked(row)
      rows.scrollTo(row, 'center')
    },
    [rows.scrollTo],
  )
  const search = useSearch(
    useCallback((signal: AbortSignal) => rowsOf(lines, signal), [lines]),
    goTo,
  )
  const commands = useMemo(() => commandsOf(lines), [lines])
  const isReplay = replayFrom !== undefined
  const start = Date.parse(session.began_at ?? session.start_date)
  return (
    <>
      <CutNote session={session} text={text} start={start} />
      <div class={`desk fills is-text${commands.length > 0 && !isReplay ? '' : ' is-alone'}`}>
        {!isReplay && <Commands commands={commands} marked={marked} start={start} onChoose={goTo} />}
        <section class="card column desk-main" aria-label={isReplay ? 'Replay' : 'Text of the terminal'}>
          <div class="card-head is-tool">
            {!isReplay && <SearchField search={search} label="Search the text" />}
            <div class="line push">
              {!isReplay && marked !== undefined && (
                <button
                  type="button"
                  class="button is-small is-icon"
                  aria-label="Replay from here"
                  title="Replay from here"
                  onClick={() => setReplayFrom(lines[marked]?.at ?? 0)}
                >
                  <Icon name="run" small />
                </button>
              )}
              <div class="line" role="group" aria-label="Shown as">
                <Choice
                  name="Text"
                  icon="script"
                  isOn={!isReplay}
                  onChoose={() => setReplayFrom(undefined)}
                />
                <Choice name="Replay" icon="replay" isOn={isReplay} onChoose={() => setReplayFrom(0)} />
              </div>
              <button
                type="button"
                class="button is-small is-icon"
                aria-label="Download .txt"
                title="Download .txt"
                onClick={() => void download(session, text, start)}
              >
                <Icon name="download" small />
              </button>
            </div>
          </div>
          {isReplay ? (
            <Player recording={recording} from={replayFrom} key={replayFrom} />
          ) : (
            <Lines {...{ rows, text, start, marked }} found={search.text} />
          )}
        </section>
      </div>
    </>
  )
}

async function download(session: Session, text: ReadText, start: number): Promise<void> {
  saveFile(await fileOf(text, start), downloadName(session, 'txt'))
}

interface ChoiceProps {
  readonly name: string
  readonly icon: 'script' | 'replay'
  readonly isOn: boolean
  readonly onChoose: () => void
}

function Choice({ name, icon, isOn, onChoose }: ChoiceProps) {
  return (
    <button type="button" class="button is-small" aria-pressed={isOn} onClick={onChoose}>
      <Icon name={icon} small />
      {name}
    </button>
  )
}

interface LinesProps {
  readonly rows: ReturnType<typeof useRowWindow>
  readonly text: ReadText
  readonly start: number
  readonly marked: number | undefined
  readonly found: string
}

/** Only the visible lines are drawn. */
function Lines({ rows: { scroller, first, end, height, offset, onScroll }, text, ...shown }: LinesProps) {
  const { start, marked, found } = shown
  const visibleLines = text.lines.slice(first, Math.max(first, end))
  return (
    <div
      class="output log fills"
      ref={scroller}
      onScroll={onScroll}
      role="region"
      aria-label="Text"
      tabIndex={0}
    >
      <div class="log-all" style={{ height: `${height}px` }}>
        <div class="log-rows" style={{ transform: `translateY(${offset}px)` }}>
          {visibleLines.map((line, index) => (
            <PastRow
              key={first + index}
              line={line}
              start={start}
              before={text.lines[first + index - 1]}
              isMarked={first + index === marked}
              found={found}
            />
          ))}
        </div>
      </div>
    </div>
  )
}

interface CommandsProps {
  readonly commands: readonly Command[]
  readonly marked: number | undefined
  readonly start: number
  readonly onChoose: (row: number) => void
}

/** Most commands that are listed. All are in the text. */
const MAX_COMMANDS = 500

/** The commands are guessed: a prompt is what the terminal showed before it waited for keys. */
function Commands({ commands, marked, start, onChoose }: CommandsProps) {
  if (commands.length === 0) return null
  const count = commands.length.toLocaleString('en')
  return (
    <aside class="card desk-side column only-wide" aria-label="Commands">
      <div class="card-head">
        <h2>{commands.length === 1 ? '1 command' : `${count} commands`}</h2>
      </div>
      <ol class="rows is-short desk-list">
        {commands.slice(0, MAX_COMMANDS).map(({ row, text, at }) => (
          <li key={row} class={row === marked ? 'is-selected' : ''}>
            <div class="row-text">
              <button type="button" class="whole" onClick={() => onChoose(row)}>
                <code>{text}</code>
              </button>
              <span>{CLOCK.format(start + at * 1000)}</span>
            </div>
          </li>
        ))}
        {commands.length > MAX_COMMANDS && (
          <li class="soft small">
            The first {MAX_COMMANDS} of {count} are listed. All are in the text.
          </li>
        )}
      </ol>
    </aside>
  )
}

interface CutNoteProps {
  readonly session: Session
  readonly text: ReadText
  readonly start: number
}

function CutNote({ session, text: { lines, cut }, start }: CutNoteProps) {
  if (cut === undefined) return null
  return (
    <Note tone="wait" title={`The text ends at ${CLOCK.format(start + cut.at * 1000)}`}>
      <p>
        The page makes {lines.length.toLocaleString('en')} lines at most. The text and its download lack{' '}
        {cut.bytes > 0 ? bytesText(cut.bytes) : 'the rest'} of {bytesText(session.event_size)}. The replay has
        all.
      </p>
    </Note>
  )
}

interface PastRowProps {
  readonly line: PastLine
  /** The line above, whose time is not repeated. */
  readonly before: PastLine | undefined
  /** Beginning of the terminal in ms. */
  readonly start: number
  readonly isMarked: boolean
  readonly found: string
}

/** Draws a line of a past terminal. Times are not part of the text, so copied text does not have them. */
function PastRow({ line, before, start, isMarked, found }: PastRowProps) {
  const { text, at, isScreen, prompt = 0 } = line
  const time = CLOCK.format(start + at * 1000)
  const isSame = before !== undefined && CLOCK.format(start + before.at * 1000) === time
  const marks = [isScreen ? ' is-screen' : '', isMarked ? ' is-found' : '']
  return (
    <div class={`row${marks.join('')}`}>
      <span class="line-number" data-n={isSame ? '' : time} title={time} />
      <span class="line-text">
        {prompt > 0 && <span class="n">{markedText(visible(text.slice(0, prompt)), found)}</span>}
        {prompt > 0 ? (
          <strong>{markedText(visible(text.slice(prompt)), found)}</strong>
        ) : (
          markedText(visible(text), found)
        )}
      </span>
    </div>
  )
}
