import { createTwoFilesPatch } from 'diff'
import { useCallback } from 'preact/hooks'
import { readSession } from '../../api/gateway.ts'
import { fetched } from '../../api/request.ts'
import type { Session } from '../../api/types.ts'
import { RowReader } from '../../output/ansi/rows.ts'
import { textOfRow } from '../../output/ansi/row.ts'
import { sessionName } from '../../parts/called.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { Trail } from '../../parts/trail.tsx'
import { visible } from '../../parts/visible.ts'
import { recordedParameters } from '../runbooks/recorded.ts'
import { StateBadge } from '../sessions/state.tsx'
import { DiffText } from './diff-text.tsx'

/** Maximum number of bytes of each output that are compared. The browser would take too long for more. */
const COMPARED_BYTES = 1024 * 1024
const MAX_MS = 5000

interface DiffProps {
  readonly first: string
  readonly second: string
}

interface Compared {
  readonly session: Session
  readonly output: string
  readonly isCut: boolean
}

/** Shows how two runs differ: their parameters and their output. */
export default function Diff({ first, second }: DiffProps) {
  const load = useCallback(
    (signal: AbortSignal) => Promise.all([readCompared(first, signal), readCompared(second, signal)]),
    [first, second],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <section class="view">
      <header class="head">
        <Trail href="/sessions" list="Sessions" label="All sessions" />
        <h1>Two runs</h1>
      </header>
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
      <section class="card scroll" aria-labelledby="parameters">
        <div class="card-head">
          <h2 id="parameters">Parameters</h2>
        </div>
        <Parameters first={first.session} second={second.session} />
      </section>
      <section class="card" aria-labelledby="output">
        <div class="card-head">
          <h2 id="output">Output</h2>
          {(first.isCut || second.isCut) && (
            <span class="soft small">Only the first MiB of each output is compared.</span>
          )}
        </div>
        <OutputDiff first={first.output} second={second.output} />
      </section>
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
          <Run session={first} />
          <Run session={second} />
        </tr>
      </thead>
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">
              <Name>{name}</Name>
            </th>
            <td>{valueText(before[name])}</td>
            <td>
              {valueText(after[name])}
              {before[name] !== after[name] && (
                <>
                  {' '}
                  <span class="chip is-plain is-wait">different</span>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Run({ session }: { readonly session: Session }) {
  return (
    <th scope="col">
      <a href={sessionPath(session.id)}>
        <Name>{sessionName(session)}</Name>
      </a>{' '}
      <StateBadge state={session.state} />
      <span class="under">
        <Name>{session.user}</Name> · <Moment at={session.began_at ?? session.start_date} />
      </span>
    </th>
  )
}

/** Returns the parameters, and other facts that may differ. */
function parametersOf(session: Session): Readonly<Record<string, string>> {
  const runbookCommit = session.labels?.['runbookCommit']
  return {
    connection: session.connection,
    ...(runbookCommit !== undefined && { commit: runbookCommit.slice(0, 12) }),
    'exit code': session.exit_code === null ? 'still running' : String(session.exit_code),
    ...recordedParameters(session.labels),
  }
}

function valueText(value: string | undefined) {
  return value === undefined ? <span class="soft">not given</span> : <bdi class="value">{visible(value)}</bdi>
}

function OutputDiff({ first, second }: { readonly first: string; readonly second: string }) {
  if (first === second) return <p class="card-body">Both outputs are the same.</p>
  const options = { context: 3, timeout: MAX_MS }
  const diff = createTwoFilesPatch('first', 'second', first, second, '', '', options)
  if (diff === undefined) return <p class="card-body">The outputs differ too much to be compared here.</p>
  return <DiffText diff={diff.split('\n').slice(3).join('\n')} />
}
