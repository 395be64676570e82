import { createTwoFilesPatch } from 'diff'
import { useCallback } from 'preact/hooks'
import { readSession } from '../../api/gateway.ts'
import { fetched } from '../../api/request.ts'
import type { Session } from '../../api/types.ts'
import { RowReader } from '../../output/ansi/rows.ts'
import { textOfRow } from '../../output/ansi/row.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { recordedParameters } from '../runbooks/recorded.ts'
import { titleOf } from '../sessions/list.tsx'
import { StateBadge } from '../sessions/state.tsx'
import { DiffText } from './diff-text.tsx'

/** Bytes of each output that are compared: more takes the browser too long. */
const COMPARED_BYTES = 1024 * 1024
/** A comparison that takes longer is given up. */
const LONGEST_MS = 5000

interface DiffProps {
  readonly first: string
  readonly second: string
}

interface Compared {
  readonly session: Session
  readonly output: string
  readonly isCut: boolean
}

/** How two runs differ: their parameters and their output. */
export default function Diff({ first, second }: DiffProps) {
  const load = useCallback(
    (signal: AbortSignal) => Promise.all([readCompared(first, signal), readCompared(second, signal)]),
    [first, second],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <section class="view">
      <p class="back">
        <a href="/sessions">All sessions</a>
      </p>
      <h1>Two runs</h1>
      {value === undefined && error === undefined && <Loading />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value !== undefined && <Shown first={value[0]} second={value[1]} />}
    </section>
  )
}

async function readCompared(id: string, signal: AbortSignal): Promise<Compared> {
  const [session, { text, isCut }] = await Promise.all([readSession(id, signal), readStart(id, signal)])
  const reader = new RowReader()
  reader.feed(text)
  return { session, output: reader.end().map(textOfRow).join('\n'), isCut }
}

/** The beginning of an output. */
async function readStart(id: string, signal: AbortSignal): Promise<{ text: string; isCut: boolean }> {
  const response = await fetched('GET', `/api/sessions/${encodeURIComponent(id)}/result/stream`, { signal })
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = 0; bytes < COMPARED_BYTES;) {
    const { done, value } = await reader.read()
    if (done) return { text: text + decoder.decode(), isCut: false }
    bytes += value.length
    text += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  return { text: text.slice(0, COMPARED_BYTES), isCut: true }
}

interface ShownProps {
  readonly first: Compared
  readonly second: Compared
}

function Shown({ first, second }: ShownProps) {
  return (
    <>
      <ul class="cards">
        {[first, second].map(({ session }, index) => (
          <li key={index}>
            <h2>
              <a href={sessionPath(session.id)}>
                <Name>{titleOf(session)}</Name>
              </a>{' '}
              <StateBadge state={session.state} />
            </h2>
            <p class="hint">
              <Name>{session.connection}</Name> · <Name>{session.user}</Name> ·{' '}
              <Moment at={session.start_date} />
            </p>
          </li>
        ))}
      </ul>
      <h2>Parameters</h2>
      <Parameters first={first.session} second={second.session} />
      <h2>Output</h2>
      {(first.isCut || second.isCut) && <p class="hint">Only the first MiB of each is compared.</p>}
      <OutputDiff first={first.output} second={second.output} />
    </>
  )
}

function Parameters({ first, second }: { readonly first: Session; readonly second: Session }) {
  const before = parametersOf(first)
  const after = parametersOf(second)
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">First</th>
          <th scope="col">Second</th>
        </tr>
      </thead>
      <tbody>
        {names.map((name) => (
          <tr key={name} class={before[name] === after[name] ? '' : 'is-different'}>
            <th scope="row">
              <Name>{name}</Name>
            </th>
            <td>{valueText(before[name])}</td>
            <td>
              {valueText(after[name])}
              {before[name] !== after[name] && <span class="hint"> (different)</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** What else may differ stands there, too. */
function parametersOf(session: Session): Readonly<Record<string, string>> {
  const runbookCommit = session.labels?.['runbookCommit']
  return {
    connection: session.connection,
    ...(runbookCommit !== undefined && { commit: runbookCommit.slice(0, 12) }),
    'exit code': session.exit_code === null ? 'it runs' : String(session.exit_code),
    ...recordedParameters(session.labels),
  }
}

function valueText(value: string | undefined) {
  return value === undefined ? <span class="hint">not given</span> : <bdi class="value">{visible(value)}</bdi>
}

function OutputDiff({ first, second }: { readonly first: string; readonly second: string }) {
  if (first === second) return <p>Both have written the same.</p>
  const options = { context: 3, timeout: LONGEST_MS }
  const diff = createTwoFilesPatch('first', 'second', first, second, '', '', options)
  if (diff === undefined) return <p>They differ in so much that comparing them takes too long.</p>
  return <DiffText diff={diff.split('\n').slice(3).join('\n')} />
}
