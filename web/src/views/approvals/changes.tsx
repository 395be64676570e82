import { useState } from 'preact/hooks'
import type { Review, Session } from '../../api/types.ts'
import { Moment } from '../../parts/moment.tsx'
import { Fact } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { saveFile } from '../../parts/save-file.ts'
import { Name } from '../../parts/text.tsx'
import { Difference } from '../diff/difference.tsx'
import { diffText, type DiffLine, type LineDiff } from '../diff/line-diff.ts'
import { StateBadge } from '../sessions/state.tsx'
import { fileToColour } from '../../parts/marks.ts'
import { differingLines, sizeOf, type ChangedLines, type RequestDiff } from './request-diff.ts'
import { Script, scriptText, type How } from './script-card.tsx'
import { hasValues, Values } from './values.tsx'

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
  readonly review: Review
  readonly session: Session
  readonly isWhole: boolean
  /** Called when the person has opened or downloaded the whole difference. */
  readonly onWhole: (how: How) => void
}

/** Shows the differences from the last approved run of the same runbook, and the script as it will run. */
export function Changes({ diff, review, session, isWhole, onWhole }: ChangesProps) {
  const [showsScript, setShowsScript] = useState(false)
  const { before, lines } = diff
  const most = isWhole ? MAX_DRAWN_LINES : MAX_LINES
  const file = fileToColour(review, session)
  const values = { review, session, diff }
  const isScriptAlike = !showsScript && lines.length === 0
  return (
    <section class="card" aria-labelledby="changes">
      <div class="card-head">
        <div class="head-text">
          <h2 id="changes">{changesText(diff)}</h2>
          <p class="under">
            from{' '}
            <a href={sessionPath(before.id)}>
              the last approved run{review.facts.previous?.is_last === false && ' that you may see'}
            </a>
            , <Moment at={before.began_at ?? before.start_date} /> by <Name>{before.user}</Name>{' '}
            <StateBadge state={before.state} />
          </p>
        </div>
        <div class="line push" role="group" aria-label="Shown as">
          <Choice name="Differences" isOn={!showsScript} onChoose={() => setShowsScript(false)} />
          <Choice name="Script" isOn={showsScript} onChoose={() => setShowsScript(true)} />
        </div>
        {leftOut(diff) > 0 && <WholeDiff diff={diff} isWhole={isWhole} onWhole={onWhole} />}
      </div>
      {leftOut(diff, most) > 0 && <Cut diff={diff} most={most} />}
      <Facts diff={diff} />
      <div class={!hasValues(values) ? undefined : isScriptAlike ? 'beside is-alike' : 'beside'}>
        <div>
          {showsScript ? (
            <>
              <p class="card-body soft small">{scriptText(review)}</p>
              <Script review={review} session={session} isWhole />
            </>
          ) : (
            lines.map((part) => <Part key={part.name} {...part} most={most} file={file} />)
          )}
          {isScriptAlike && (
            <p class="card-body soft small">
              All {count(session.script.data.split('\n').length, 'line')} of the script are as in that run.
            </p>
          )}
        </div>
        {hasValues(values) && <Values {...values} />}
      </div>
      <DiffCounts diff={diff} />
    </section>
  )
}

interface ChoiceProps {
  readonly name: string
  readonly isOn: boolean
  readonly onChoose: () => void
}

function Choice({ name, isOn, onChoose }: ChoiceProps) {
  return (
    <button type="button" class="button is-small" aria-pressed={isOn} onClick={onChoose}>
      {name}
    </button>
  )
}

/** Returns a text such as `2 lines and 1 value differ`. */
export function changesText({ values, lines, differsInSecrets }: RequestDiff): string {
  const differing = lines.reduce((all, { diff }) => all + differingLines(diff), 0)
  const parts = [
    differing > 0 && count(differing, 'line'),
    values.length > 0 && count(values.length, 'value'),
    differsInSecrets && 'secrets',
  ].filter((part) => part !== false)
  if (parts.length === 0) return 'Nothing differs'
  const isOne = parts.length === 1 && differing + values.length === 1
  return `${parts.join(' and ')} ${isOne ? 'differs' : 'differ'}`
}

function DiffCounts({ diff: { lines } }: { readonly diff: RequestDiff }) {
  if (lines.length === 0) return null
  const sum = (of: (diff: LineDiff) => number) => lines.reduce((all, { diff }) => all + of(diff), 0)
  const replaced = sum(({ lines: all }) => all.filter(isReplaced).length)
  return (
    <dl class="card-foot facts">
      <Fact name="Added">{numberText(sum(({ added }) => added) - replaced)}</Fact>
      <Fact name="Changed">{numberText(replaced)}</Fact>
      <Fact name="Removed">{numberText(sum(({ removed }) => removed) - replaced)}</Fact>
    </dl>
  )
}

function isReplaced({ kind, pieces }: DiffLine): boolean {
  return kind === 'removed' && pieces !== undefined
}

function numberText(number: number): string {
  return number === 0 ? 'none' : number.toLocaleString()
}

function count(number: number, word: string): string {
  return `${number.toLocaleString()} ${word}${number === 1 ? '' : 's'}`
}

function WholeDiff({ diff, isWhole, onWhole }: Pick<ChangesProps, 'diff' | 'isWhole' | 'onWhole'>) {
  const download = () => {
    saveFile(new Blob([wholeText(diff)], { type: 'text/plain' }), 'difference.diff')
    onWhole('downloaded')
  }
  return (
    <div class="line">
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
  readonly file: string
}

function Part({ name, diff, most, file }: PartProps) {
  return (
    <>
      <h3 class={name === 'Script' ? 'said-only' : 'card-body part'}>{name}</h3>
      <Difference
        label={`Difference: ${name}`}
        diff={diff}
        most={most}
        file={name === 'Script' ? file : ''}
      />
    </>
  )
}
