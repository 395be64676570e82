import { useState } from 'preact/hooks'
import type { RunRequest } from '../../api/gateway.ts'
import type { Refused } from '../../api/request.ts'
import type { Session } from '../../api/types.ts'
import type { Values } from '../../form/parameters.ts'
import { Note } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import type { Opened } from './opened.ts'
import { NOT_RECORDED, recordedParameters } from './recorded.ts'

/** What the button of the form does. `first`: runs the first runbook of the pair. `second`: requests this one. */
type Step = 'alone' | 'first' | 'second'

export interface Pair {
  readonly step: Step
  /** Path of the runbook that the button runs. */
  readonly file: string
  /** The first run, as long as it counts for the values of the form. */
  readonly first: Session | undefined
  /** Why an earlier first run does not count; empty without one. */
  readonly obstacle: string
  readonly hasFailed: boolean
  readonly goesOn: boolean
  readonly setGoesOn: (goesOn: boolean) => void
  readonly sent: () => Pick<RunRequest, 'first' | 'despite_first'>
  /** Tells of an error of the request. */
  readonly failed: (error: Refused) => void
}

/** @param form the connection and the values to send */
export function usePair(
  { item, first: earlier }: Opened,
  form: { readonly connection: string; readonly values: Values },
): Pair {
  const [isVoid, setVoid] = useState(false)
  const [goesOn, setGoesOn] = useState(false)
  const withDefaults = (values: Values) => effective(item, values)
  const obstacle = earlier === undefined ? '' : obstacleOf(earlier, { ...form, withDefaults }, isVoid)
  const first = obstacle === '' ? earlier : undefined
  const hasFailed = first !== undefined && first.state.name !== 'succeeded'
  const step = item.first === undefined ? 'alone' : first === undefined ? 'first' : 'second'
  const sent = () => {
    if (step === 'alone') return {}
    if (first === undefined) return { first: 'run' }
    return { first: first.id, ...(hasFailed && goesOn && { despite_first: true }) }
  }
  return {
    ...{ step, first, obstacle, hasFailed, goesOn, setGoesOn, sent },
    file: step === 'first' ? (item.first ?? item.name) : item.name,
    failed: ({ code }) => setVoid(code === 'first-void'),
  }
}

interface Form {
  readonly connection: string
  readonly values: Values
  readonly withDefaults: (values: Values) => Values
}

function obstacleOf(first: Session, { connection, values, withDefaults }: Form, isVoid: boolean): string {
  if (first.status !== 'done') return 'It has not ended.'
  if (typeof first.began_at !== 'string') return 'It has not begun.'
  if (first.second?.session != null) return 'The runbook was already requested with it.'
  if (first.connection !== connection) return 'It ran on another connection.'
  if (hasOtherValue(withDefaults(recordedParameters(first.labels)), withDefaults(values)))
    return 'It had other values.'
  return isVoid ? 'The gateway did not accept it for this request.' : ''
}

/** Secret values are not recorded, so the gateway compares them. */
function hasOtherValue(recorded: Values, values: Values): boolean {
  const names = new Set([...Object.keys(recorded), ...Object.keys(values)])
  return [...names].some((name) => recorded[name] !== NOT_RECORDED && recorded[name] !== values[name])
}

/** The values as the gateway compares them: a parameter that was left out has its default. */
function effective({ metadata, block_metadata: inBlocks = {} }: Opened['item'], values: Values): Values {
  const declared = Object.entries({ ...inBlocks, ...metadata }).flatMap(([name, { default: proposed }]) =>
    typeof proposed === 'string' ? [[name, proposed] as const] : [],
  )
  return Object.fromEntries([...declared, ...given(values)].filter(([, value]) => value !== ''))
}

function given(values: Values) {
  return Object.entries(values).filter(([, value]) => value !== '')
}

/** Says which run comes first, and what the button does now. */
export function PairNotes({ pair, earlier }: { readonly pair: Pair; readonly earlier: Session | undefined }) {
  const { step, file, first, obstacle } = pair
  if (step === 'alone') return null
  if (first !== undefined) return <Counts pair={pair} first={first} />
  return (
    <Note
      tone={obstacle === '' ? 'live' : 'wait'}
      role="status"
      title={obstacle === '' ? 'The dry run comes first.' : 'The dry run does not count for this request.'}
    >
      <p>
        {earlier !== undefined && (
          <>
            {obstacle} <a href={sessionPath(earlier.id)}>See that run</a>.{' '}
          </>
        )}
        The button runs only <Name>{file}</Name>. You see its output, and continue from there.
      </p>
    </Note>
  )
}

function Counts({ pair, first }: { readonly pair: Pair; readonly first: Session }) {
  const { hasFailed, goesOn, setGoesOn } = pair
  return (
    <Note
      tone={hasFailed ? 'bad' : 'good'}
      title={
        <>
          The dry run {visible(first.state.text)}
          {typeof first.end_date === 'string' && (
            <>
              {' '}
              <Moment at={first.end_date} />
            </>
          )}
          .
        </>
      }
    >
      <p>
        The form has the values of <a href={sessionPath(first.id)}>the dry run</a>. Secret values, arguments
        and variables are not recorded: type the same ones again.
      </p>
      {hasFailed && (
        <label class="tick">
          <input
            type="checkbox"
            checked={goesOn}
            onChange={(event) => setGoesOn(event.currentTarget.checked)}
          />
          Go on in spite of it
        </label>
      )}
    </Note>
  )
}

/** The words of the button, if the runbook belongs to a pair. */
export function pairWord({ step, obstacle }: Pair, isReviewed: boolean): string | undefined {
  if (step !== 'first') return undefined
  if (isReviewed) return 'Ask for approval of the dry run'
  return obstacle === '' ? 'Run the dry run first' : 'Run the dry run again'
}
