import type { ComponentChildren } from 'preact'
import type { Review, Session } from '../../api/types.ts'
import { Name } from '../../parts/text.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'
import { changedWords, type Piece } from '../diff/line-diff.ts'
import { NOT_RECORDED, recordedParameters } from '../runbooks/recorded.ts'
import { hiddenText, namesOf, type ChangedValue, type RequestDiff } from './request-diff.ts'

interface ValuesProps {
  readonly review: Review
  readonly session: Session
  /** Undefined: there is no run to compare with. */
  readonly diff?: RequestDiff | undefined
}

/** Whether a request has values to show beside its script. */
export function hasValues({ review, session, diff }: ValuesProps): boolean {
  return entriesOf({ review, session, diff }).length > 0 || listsOf({ review, session, diff }).length > 0
}

/** Shows all values of a request, beside its script or its difference. */
export function Values(props: ValuesProps) {
  return (
    <dl class="values" aria-label="Values">
      {entriesOf(props).map((entry) => (
        <Entry key={`${entry.name} ${entry.isParameter}`} entry={entry} />
      ))}
      {listsOf(props).map(([name, values]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {values.map((value, at) => (
              <code class="value" key={at}>
                <Name>{value}</Name>
              </code>
            ))}
            {name !== 'Arguments' && <span class="soft small">{hiddenText(props.review)}</span>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

interface ValueEntry {
  readonly name: string
  readonly value: string
  readonly isParameter: boolean
  readonly changed?: ChangedValue
  /** Whether the value is the one of the last approved run. */
  readonly isAsBefore: boolean
}

/** Changed values are first. Longer ones that differ have a difference of their own. */
function entriesOf({ session, diff }: ValuesProps): readonly ValueEntry[] {
  const now = recordedParameters(session.labels)
  const long = new Set(diff?.longValues)
  const changed = (diff?.values ?? []).map((one) => ({
    ...{ name: one.name, value: one.now ?? '', isParameter: one.isParameter, changed: one },
    isAsBefore: false,
  }))
  const names = new Set(changed.filter(({ isParameter }) => isParameter).map(({ name }) => name))
  const others = Object.entries(now)
    .filter(([name]) => !names.has(name) && !long.has(name))
    .map(([name, value]) => ({ name, value, isParameter: true, isAsBefore: diff !== undefined }))
  return [...changed, ...others]
}

/**
 * Variables that a runbook sets from its parameters are left out: the parameters are shown. Those that differ are
 * among the changed values.
 */
function listsOf({ review, diff }: ValuesProps) {
  const { client_args: args, env_vars: keys, brings_input: isBrought } = review
  const isShown = (kind: string) =>
    diff?.values.some(({ name, isParameter }) => name === kind && !isParameter)
  const lists: [string, readonly string[]][] = [
    ['Arguments', args],
    ['Variables', isBrought === false ? [] : namesOf('envvar:', keys)],
    ['Files', namesOf('filesystem:', keys)],
  ]
  return lists.filter(([name, values]) => values.length > 0 && isShown(name) !== true)
}

function Entry({ entry: { name, value, changed, isAsBefore } }: { readonly entry: ValueEntry }) {
  return (
    <div class={changed === undefined ? undefined : 'is-changed'}>
      <dt>
        <Name>{name}</Name>
      </dt>
      <dd>
        {changed === undefined ? <Plain value={value} isAsBefore={isAsBefore} /> : <Both value={changed} />}
      </dd>
    </div>
  )
}

function Plain({ value, isAsBefore }: Pick<ValueEntry, 'value' | 'isAsBefore'>) {
  if (value === NOT_RECORDED) return <span class="soft">secret, not recorded</span>
  return (
    <>
      {value === '' ? <span class="soft">empty</span> : <bdi class="value">{visibleLines(value)}</bdi>}
      {isAsBefore && <span class="soft small">as before</span>}
    </>
  )
}

function Both({ value: { before, now } }: { readonly value: ChangedValue }) {
  const [was, is] = changedWords(before ?? '', now ?? '')
  return (
    <>
      <Side said="before: ">{before === undefined ? 'not given' : <del>{marked(was)}</del>}</Side>
      <Side said="now: ">{now === undefined ? 'not given' : <ins>{marked(is)}</ins>}</Side>
    </>
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
