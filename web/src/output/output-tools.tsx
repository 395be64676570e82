import { useState } from 'preact/hooks'
import { asRefused } from '../api/request.ts'
import { copyText } from '../parts/clipboard.ts'
import { allRows } from './all-rows.ts'
import { textOfRow } from './ansi/row.ts'
import type { OutputRecord } from './record.ts'
import type { Search } from './search.ts'

/** More does not belong into a clipboard. */
const MOST_COPIED_BYTES = 16 * 1024 * 1024

interface OutputToolsProps {
  readonly id: string
  readonly record: OutputRecord
  readonly search: Search
  readonly follows: boolean
  readonly setFollows: (follows: boolean) => void
  readonly isRunning: boolean
}

export function OutputTools({ id, record, search, follows, setFollows, isRunning }: OutputToolsProps) {
  return (
    <div class="tools">
      <SearchField search={search} />
      {isRunning && (
        <button aria-pressed={follows} onClick={() => setFollows(!follows)}>
          Follow
        </button>
      )}
      <CopyButton id={id} record={record} />
      <a class="button" href={`/api/sessions/${encodeURIComponent(id)}/result/stream`} download={`${id}.txt`}>
        Download
      </a>
    </div>
  )
}

function SearchField({ search }: { readonly search: Search }) {
  return (
    <div class="search-output" role="search">
      <input
        type="search"
        aria-label="Search output"
        placeholder="Search output"
        value={search.text}
        onInput={(event) => search.setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return
          if (event.shiftKey) search.previous()
          else search.next()
        }}
      />
      <button aria-label="Previous match" onClick={search.previous} disabled={search.current === undefined}>
        ↑
      </button>
      <button aria-label="Next match" onClick={search.next} disabled={search.current === undefined}>
        ↓
      </button>
      <span role="status" class="search-summary">
        {search.summary}
      </span>
    </div>
  )
}

function CopyButton({ id, record }: { readonly id: string; readonly record: OutputRecord }) {
  const [said, setSaid] = useState('')
  const copy = async () => {
    try {
      const isTooLong = record.bytes > MOST_COPIED_BYTES
      if (!isTooLong) await copyText(await allText(id, record))
      setSaid(isTooLong ? 'too long to copy: download it' : 'copied')
    } catch (error) {
      setSaid(`not copied: ${asRefused(error).message}`)
    }
  }
  return (
    <>
      <button onClick={() => void copy()}>Copy</button>
      <span role="status">{said}</span>
    </>
  )
}

async function allText(id: string, record: OutputRecord): Promise<string> {
  const lines: string[] = []
  for await (const { rows } of allRows(id, record, new AbortController().signal))
    for (const row of rows) lines.push(textOfRow(row))
  return `${lines.join('\n')}\n`
}
