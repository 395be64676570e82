import type { Session } from '../../api/types.ts'
import { bytesText } from '../../parts/moment.tsx'
import { visible } from '../../parts/visible.ts'
import { meaningOf } from './exit-code.ts'
import { isBad } from './state.tsx'

/** The code that a session has when there is no exit code. */
const NO_CODE = 254

/** Shows how the session ended, and what was removed from the output. */
export function Ending({ session }: { readonly session: Session }) {
  const { status, exit_code: code, state } = session
  const isOver = status === 'done' && code !== null
  const tone = code === 0 ? ' is-good' : isBad(session) ? ' is-bad' : ''
  return (
    <div class="ending">
      <p role="status" class={`exit${tone}`}>
        {isOver && !isOrdinary(state) && (
          <>
            <strong>
              <bdi>{visible(sentence(state.text))}</bdi>
            </strong>
            {code !== NO_CODE && ` (exit code ${code})`}
          </>
        )}
        {isOver && isOrdinary(state) && (
          <>
            <strong>exit code {code}</strong>: {meaningOf(code)}
          </>
        )}
      </p>
      {left(session).map((text) => (
        <p class="hint" key={text} dir="auto">
          {text}
        </p>
      ))}
    </div>
  )
}

/** Whether the command ended by itself, so that the exit code describes the end of the session. */
function isOrdinary({ name }: Session['state']): boolean {
  return name === 'succeeded' || name === 'failed'
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function left({
  truncated_bytes,
  redacted_bytes,
  metrics,
  guardrails_info,
  labels,
  port,
}: Session): string[] {
  const masked = metrics?.data_masking.total_redact_count ?? 0
  const rules = (guardrails_info ?? []).map((rule) => visible(nameOf(rule)))
  const warning = labels?.['runbookWarning']
  return [
    ...(truncated_bytes > 0
      ? [`${bytesText(truncated_bytes)} of output were cut off and not recorded.`]
      : []),
    ...(redacted_bytes > 0 ? [`${bytesText(redacted_bytes)} of secrets were replaced in the output.`] : []),
    ...(masked > 0 ? [`${masked} pieces of personal data were masked in the output.`] : []),
    ...(rules.length > 0
      ? [
          `A guardrail ${port ? 'refused statements or results' : 'stopped the session'}: ${rules.join(', ')}.`,
        ]
      : []),
    ...(warning === undefined ? [] : [visible(warning)]),
  ]
}

function nameOf(rule: Readonly<Record<string, unknown>>): string {
  const { rule_name: name } = rule
  return typeof name === 'string' ? name : 'a rule without a name'
}
