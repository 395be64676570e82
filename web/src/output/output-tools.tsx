import { asRefused } from '../api/request.ts'
import { copyText } from '../parts/clipboard.ts'
import { Icon } from '../parts/icon.tsx'
import { toast } from '../parts/toasts.tsx'
import { allRows } from './all-rows.ts'
import { textOfRow } from './ansi/row.ts'
import { linkToLine } from './line-link.ts'
import type { OutputRecord } from './record.ts'
import type { Search } from './search.ts'

/** Maximum number of bytes copied to the clipboard. */
const MAX_COPIED_BYTES = 16 * 1024 * 1024

interface OutputToolsProps {
  readonly id: string
  readonly fileName: string
  readonly record: OutputRecord
  readonly search: Search
  readonly follows: boolean
  readonly setFollows: (follows: boolean) => void
  readonly isRunning: boolean
  /** The row that the search has found, or that the address names. */
  readonly marked: number | undefined
  readonly wraps: boolean
  readonly setWraps: (wraps: boolean) => void
  readonly hasTimes: boolean
  readonly setTimes: (hasTimes: boolean) => void
}

export function OutputTools(props: OutputToolsProps) {
  const { id, fileName, record, search, follows, setFollows, isRunning, marked } = props
  return (
    <div class="card-head">
      <SearchField search={search} label="Search output" />
      <div class="line push">
        {isRunning && <Switch icon="follow" name="Follow" isOn={follows} onChange={setFollows} />}
        <Switch icon="wrap" name="Wrap" isOn={props.wraps} onChange={props.setWraps} />
        <Switch icon="wait" name="Times" isOn={props.hasTimes} onChange={props.setTimes} />
        {marked !== undefined && (
          <IconButton
            icon="link"
            name={`Copy the link to line ${marked + 1}`}
            onClick={() =>
              void copied(() => copyText(linkToLine(marked + 1)), `The link to line ${marked + 1}`)
            }
          />
        )}
        <IconButton icon="copy" name="Copy" onClick={() => void copyAll(id, record)} />
        <a
          class="button is-small is-icon"
          href={`/api/sessions/${encodeURIComponent(id)}/result/stream`}
          download={fileName}
          aria-label="Download"
          title="Download"
        >
          <Icon name="download" small />
        </a>
      </div>
    </div>
  )
}

interface SwitchProps {
  readonly icon: 'follow' | 'wrap' | 'wait'
  readonly name: string
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
}

function Switch({ icon, name, isOn, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      class="button is-small"
      aria-pressed={isOn}
      aria-label={name}
      title={name}
      onClick={() => onChange(!isOn)}
    >
      <Icon name={icon} small />
      <span class="only-wide">{name}</span>
    </button>
  )
}

interface IconButtonProps {
  readonly icon: 'link' | 'copy' | 'up' | 'down'
  readonly name: string
  readonly disabled?: boolean
  readonly onClick: () => void
}

function IconButton({ icon, name, disabled = false, onClick }: IconButtonProps) {
  return (
    <button
      type="button"
      class={`button is-small is-icon${icon === 'up' || icon === 'down' ? ' is-quiet' : ''}`}
      aria-label={name}
      title={name}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} small />
    </button>
  )
}

export function SearchField({ search, label }: { readonly search: Search; readonly label: string }) {
  const isFound = search.current !== undefined
  return (
    <>
      <div class="search" role="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label={label}
          placeholder={label}
          value={search.text}
          onInput={(event) => search.setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return
            if (event.shiftKey) search.previous()
            else search.next()
          }}
        />
      </div>
      <div class="line">
        <span role="status" class="soft small">
          {search.summary}
        </span>
        {search.text !== '' && (
          <>
            <IconButton icon="up" name="Previous match" disabled={!isFound} onClick={search.previous} />
            <IconButton icon="down" name="Next match" disabled={!isFound} onClick={search.next} />
          </>
        )}
      </div>
    </>
  )
}

async function copyAll(id: string, record: OutputRecord): Promise<void> {
  if (record.bytes > MAX_COPIED_BYTES) {
    toast('The output is too long to copy. Download it instead.', { icon: 'alert', tone: 'bad' })
    return
  }
  await copied(async () => copyText(await allText(id, record)), 'The output')
}

async function copied(copy: () => Promise<void>, what: string): Promise<void> {
  try {
    await copy()
    toast(`${what} is copied.`)
  } catch (error) {
    toast(`${what} is not copied: ${asRefused(error).message}`, { icon: 'alert', tone: 'bad' })
  }
}

async function allText(id: string, record: OutputRecord): Promise<string> {
  const lines: string[] = []
  for await (const { rows } of allRows(id, record, new AbortController().signal))
    for (const row of rows) lines.push(textOfRow(row))
  return `${lines.join('\n')}\n`
}
