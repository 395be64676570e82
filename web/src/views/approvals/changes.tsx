import type { ComponentChildren } from 'preact'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { saveFile } from '../../parts/save-file.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { Difference } from '../diff/difference.tsx'
import { changedWords, diffText, type Piece } from '../diff/line-diff.ts'
import { sizeOf, type ChangedLines, type ChangedValue, type RequestDiff } from './request-diff.ts'

/** Maximum number of lines that differ and are drawn at first, and of those that "Show all" draws. */
const MAX_LINES = 1000
const MAX_DRAWN_LINES = 20_000

/** Number of lines that differ and are not drawn if each text has at most so many. */
function leftOut({ lines }: RequestDiff, most = MAX_LINES): number {
  return lines.reduce((sum, { diff }) => sum + Math.max(0, sizeOf(diff) - most), 0)
}

/** Says how much of the difference is not drawn at first. */
export function changesLeftOut(diff: RequestDiff): string | undefined {
  const missing = leftOut(diff)
  return missing === 0 ? undefined : `${count(missing, 'line')} that differ are not shown.`
}

interface ChangesProps {
  readonly diff: RequestDiff
  readonly isWhole: boolean
  /** Called when the person has opened or downloaded the whole difference. */
  readonly onWhole: (how: 'opened' | 'downloaded') => void
}

/** Shows the differences from the last approved run of the same runbook. */
export function Changes({ diff, isWhole, onWhole }: ChangesProps) {
  const { before, values, lines } = diff
  const most = isWhole ? MAX_DRAWN_LINES : MAX_LINES
  return (
    <section class="card" aria-labelledby="changes">
      <div class="card-head">
        <div class="head-text">
          <h2 id="changes">What is different</h2>
          <p class="under">
            {summaryOf(diff)}, compared with <a href={sessionPath(before.id)}>the last approved run</a> of
            this runbook
          </p>
        </div>
        {leftOut(diff) > 0 && <WholeDiff diff={diff} isWhole={isWhole} onWhole={onWhole} />}
      </div>
      {leftOut(diff, most) > 0 && <Cut diff={diff} most={most} />}
      <Facts diff={diff} />
      {values.length > 0 && (
        <dl class="card-body values" aria-label="Changed values">
          {values.map((value, at) => (
            <Value key={at} value={value} />
          ))}
        </dl>
      )}
      {lines.map((part) => (
        <Part key={part.name} {...part} most={most} />
      ))}
    </section>
  )
}

function summaryOf({ values, lines, differsInSecrets }: RequestDiff): string {
  const sum = (kind: 'added' | 'removed') => lines.reduce((all, { diff }) => all + diff[kind], 0)
  const parts = [
    lines.length > 0 && `${count(sum('added'), 'line')} added and ${sum('removed').toLocaleString()} removed`,
    values.length > 0 && `${count(values.length, 'value')} changed`,
    differsInSecrets && 'secrets changed',
  ].filter((part) => part !== false)
  return parts.length === 0 ? 'Nothing' : parts.join(', ')
}

function count(number: number, word: string): string {
  return `${number.toLocaleString()} ${word}${number === 1 ? '' : 's'}`
}

function WholeDiff({ diff, isWhole, onWhole }: ChangesProps) {
  const download = () => {
    saveFile(new Blob([wholeText(diff)], { type: 'text/plain' }), 'difference.diff')
    onWhole('downloaded')
  }
  return (
    <div class="line push">
      {!isWhole && leftOut(diff, MAX_DRAWN_LINES) === 0 && (
        <button type="button" class="button is-small" onClick={() => onWhole('opened')}>
          <Icon name="diff" small />
          Show all
        </button>
      )}
      <button type="button" class="button is-small" onClick={download}>
        <Icon name="download" small />
        Download
      </button>
    </div>
  )
}

function wholeText({ lines }: RequestDiff): string {
  return lines.map(({ name, diff }) => `@@ ${name} @@\n${diffText(diff)}`).join('')
}

function Cut({ diff, most }: { readonly diff: RequestDiff; readonly most: number }) {
  const all = diff.lines.reduce((sum, part) => sum + sizeOf(part.diff), 0)
  return (
    <Note
      tone="bad"
      title={`${leftOut(diff, most).toLocaleString()} of ${count(all, 'line')} that differ are not shown.`}
    >
      <p>Added lines come first: no added line is left out before a removed one.</p>
    </Note>
  )
}

/** Says what a comparison cannot show. */
function Facts({ diff }: { readonly diff: RequestDiff }) {
  const { lines, differsInSecrets, hasVariables } = diff
  const facts = [
    differsInSecrets && 'The scripts look the same, but differ in secrets, which are not shown.',
    ...lines.map(
      ({ name, diff: { isCompared } }) =>
        !isCompared &&
        `${name}: too little in common for a comparison line by line; all lines from the first to the last difference count as removed and added.`,
    ),
    hasVariables && 'Values of variables are never shown, and may have changed.',
  ].filter((fact) => fact !== false)
  if (facts.length === 0) return null
  return (
    <ul class="card-body soft small">
      {facts.map((fact) => (
        <li key={fact}>{fact}</li>
      ))}
    </ul>
  )
}

interface PartProps extends ChangedLines {
  readonly most: number
}

function Part({ name, diff, most }: PartProps) {
  return (
    <>
      <h3 class="card-body part">{name}</h3>
      <Difference label={`Difference: ${name}`} diff={diff} most={most} />
    </>
  )
}

function Value({ value: { name, before, now } }: { readonly value: ChangedValue }) {
  const [was, is] = changedWords(before ?? '', now ?? '')
  return (
    <div class="is-changed">
      <dt>
        <Name>{name}</Name>
      </dt>
      <dd>
        <Side said="before: ">{before === undefined ? 'not given' : <del>{marked(was)}</del>}</Side>
        <Side said="now: ">{now === undefined ? 'not given' : <ins>{marked(is)}</ins>}</Side>
      </dd>
    </div>
  )
}

function Side({ said, children }: { readonly said: string; readonly children: ComponentChildren }) {
  return (
    <bdi class="value">
      <span class="said-only">{said}</span>
      {children}
    </bdi>
  )
}

function marked(pieces: readonly Piece[]): ComponentChildren {
  return pieces.map(({ text, isChanged }, at) =>
    isChanged ? <b key={at}>{visible(text)}</b> : visible(text),
  )
}
