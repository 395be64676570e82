import { useCallback, useEffect, useState } from 'preact/hooks'
import { foreseeScript } from '../../api/gateway.ts'
import { isAbort, type Refused } from '../../api/request.ts'
import type { ForeseenScript } from '../../api/types.ts'
import { Icon, type IconName } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Note } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { WhomToAsk } from '../approvals/deciders.tsx'
import { ruleText } from '../approvals/rule-text.ts'
import { visible } from '../../parts/visible.ts'

/** How long the view waits for the next key before it asks the gateway about the text. */
const TYPING_MS = 500
/** A longer text is judged only before it is sent. */
const MAX_TYPED_CHARACTERS = 256 * 1024

export type Refusal = NonNullable<ForeseenScript['refused']>

export interface Foreseeing {
  readonly foreseen: ForeseenScript | undefined
  readonly error: Refused | undefined
  /** Rule that refuses the text; `line` counts in the whole text. */
  readonly refused: Refusal | undefined
}

interface Meant {
  readonly text: string
  readonly line: number
}

/**
 * Asks the gateway what a script on the connection would need, and which rule refuses the text.
 * @param version changes with the text and the selection
 * @param meant returns the text that would run
 */
export function useForeseen(connection: string, version: number, meant: () => Meant | undefined): Foreseeing {
  const load = useCallback(
    async (signal: AbortSignal) => (connection === '' ? undefined : foreseeScript({ connection }, signal)),
    [connection],
  )
  const { value: foreseen, error } = useLoaded(load, ['agents'])
  const [refused, setRefused] = useState<Refusal | undefined>(undefined)
  const hasRules = foreseen?.guardrails.some(({ input }) => input > 0) === true
  useEffect(() => {
    const ended = new AbortController()
    if (!hasRules) {
      setRefused(undefined)
      return undefined
    }
    const timer = setTimeout(() => {
      const now = meant()
      if (now === undefined || now.text.trim() === '' || now.text.length > MAX_TYPED_CHARACTERS)
        setRefused(undefined)
      else
        foreseeText(connection, now, ended.signal).then(
          (answer) => setRefused(answer.refused),
          (failure: unknown) => {
            // The gateway judges the text again before it is sent.
            if (!isAbort(failure)) setRefused(undefined)
          },
        )
    }, TYPING_MS)
    return () => {
      clearTimeout(timer)
      ended.abort()
    }
  }, [connection, hasRules, version])
  return { foreseen, error, refused }
}

/** Asks what the gateway would do with the text. @throws Refused */
export async function foreseeText(
  connection: string,
  { text, line }: Meant,
  signal: AbortSignal,
): Promise<{ readonly confirm: boolean; readonly refused: Refusal | undefined }> {
  const { confirm, refused } = await foreseeScript({ connection, script: text }, signal)
  if (refused === null) return { confirm, refused: undefined }
  return { confirm, refused: { ...refused, line: refused.line === null ? null : refused.line + line - 1 } }
}

interface ChipProps {
  readonly icon: IconName
  readonly tone?: 'good' | 'wait' | 'bad'
  readonly title?: string | undefined
  readonly children: string
}

function Chip({ icon, tone, title, children }: ChipProps) {
  return (
    <li>
      <span class={tone === undefined ? 'chip' : `chip is-${tone}`} title={title}>
        <Icon name={icon} small />
        <span>{visible(children)}</span>
      </span>
    </li>
  )
}

/** Shows what will happen to a script on this connection. */
export function ForeseenChips({ foreseen }: { readonly foreseen: ForeseenScript }) {
  const { agent, agent_online: isOnline, review, masked, guardrails, confirm } = foreseen
  const rules = guardrails.reduce((sum, { input, output }) => sum + input + output, 0)
  return (
    <ul class="line" aria-label="What happens to a script">
      {review === null ? (
        <Chip icon="check" tone="good">
          no approval
        </Chip>
      ) : (
        <Chip icon="lock" tone="wait">
          {`approval by ${ruleText([review])}`}
        </Chip>
      )}
      {masked.length > 0 && (
        <Chip icon="hide" title={masked.map(visible).join(', ')}>
          {masked.length <= 3 ? `${masked.join(', ')} masked` : `${masked.length} types of data masked`}
        </Chip>
      )}
      {rules > 0 && (
        <Chip icon="shield" title={guardrails.map(({ name }) => visible(name)).join(', ')}>
          {rules === 1 ? '1 rule' : `${rules} rules`}
        </Chip>
      )}
      {confirm && <Chip icon="alert">asks for its name</Chip>}
      {!isOnline && (
        <Chip icon="plug" tone="bad">
          {`agent ${agent} is not connected`}
        </Chip>
      )}
    </ul>
  )
}

/** Says who approves, by name, how long that usually takes, and what happens then. */
export function ApprovalText({ review }: Pick<ForeseenScript, 'review'>) {
  if (review === null) return null
  const { force_groups: force, self_approval: isOwnAllowed } = review
  return (
    <>
      <p>
        {ruleText([review])} {review.minimum > 1 ? 'have' : 'has'} to approve
        {force.length > 0 && `; ${visible(force.join(', '))} may approve alone`}.{' '}
        {isOwnAllowed ? 'Approvers may approve their own script.' : 'You cannot approve your own script.'} It
        then runs once, exactly as it is.
      </p>
      <WhomToAsk {...review} />
    </>
  )
}

/** The rule that refuses the text, in the place where it applies. */
export function RefusalNote({ refused, connection }: { refused: Refusal; connection: string }) {
  const { rule, message, matched, line } = refused
  return (
    <Note
      tone="bad"
      role="status"
      title={
        <>
          Refused{line === null ? '' : `, line ${line}`}
          {message === '' ? '' : `: ${visible(message)}`}
        </>
      }
    >
      <p>
        The rule <Name>{rule}</Name> of <Name>{connection}</Name> refuses{' '}
        {matched.map((one, at) => (
          <>
            {at > 0 && ', '}
            <code>
              <Name>{one}</Name>
            </code>
          </>
        ))}
        . Nothing was sent, and nobody was asked. Change the script to run it.
      </p>
    </Note>
  )
}
