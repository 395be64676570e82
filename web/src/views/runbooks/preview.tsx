import { useEffect, useState } from 'preact/hooks'
import { previewRunbook, type RunRequest } from '../../api/gateway.ts'
import { asRefused, type Refused } from '../../api/request.ts'
import type { Rendered } from '../../api/types.ts'
import type { Draft } from '../../form/draft.ts'
import { labelOf } from '../../form/parameters.ts'
import { Fact } from '../../parts/facts.tsx'
import { MarkedScript } from '../../parts/marked-script.tsx'
import { Note, Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'

/** Time without a change of the form, in ms, after which it is rendered. */
const PAUSE_MS = 300

interface Previewed {
  readonly rendered: Rendered
  /** The request as JSON. If the form has changed since, the form's request is different. */
  readonly asked: string
}

interface PreviewProps {
  readonly request: RunRequest
  readonly draft: Draft
  /** The ending of the file decides the language of the colouring. */
  readonly file: string
  /** The connections on which the script would run. */
  readonly on: readonly string[]
}

/**
 * Shows the script that would run, as the form is filled in, with placeholders for what is missing. The gateway makes
 * it. Nothing runs, and nothing is recorded.
 */
export function Preview({ request, draft, file, on }: PreviewProps) {
  const parameters = draft.known()
  const { value, error, asked } = usePreview(parameters && { ...request, parameters })
  const isOld = value !== undefined && value.asked !== asked
  const labelOfName = (name: string) => {
    const parameter = draft.parameters.find((one) => one.name === name)
    return parameter === undefined ? name : labelOf(parameter)
  }
  // The form knows the last use of a parameter, and the gateway all of them: an earlier one may be required.
  const known = value === undefined || isOld ? [] : value.rendered.missing.map(labelOfName)
  const missing = [...new Set([...draft.missing, ...known])].filter((label) => !draft.wrong.includes(label))
  const gaps = [
    missing.length > 0 && `Still missing: ${missing.map(visible).join(', ')}.`,
    draft.wrong.length > 0 && `Not right yet: ${draft.wrong.map(visible).join(', ')}.`,
  ].filter((text) => text !== false)
  return (
    <section class="card stays preview" aria-label="Script that would run" aria-busy={isOld}>
      <div class="card-head">
        <h2>What would run</h2>
        <span class="push" />
        <span class="soft small">as you type</span>
      </div>
      {gaps.length > 0 && (
        <Note tone="live">
          {gaps.map((text) => (
            <p key={text}>{text}</p>
          ))}
        </Note>
      )}
      {error !== undefined && <Problem error={error} />}
      {value !== undefined && <Rendering rendered={value.rendered} file={file} on={on} />}
    </section>
  )
}

/** Without a request, the last answer stays. */
function usePreview(request: RunRequest | undefined) {
  const [value, setValue] = useState<Previewed | undefined>(undefined)
  const [error, setError] = useState<Refused | undefined>(undefined)
  const asked = request && JSON.stringify(request)
  useEffect(() => {
    if (asked === undefined) return setError(undefined)
    const ended = new AbortController()
    const timer = setTimeout(() => {
      previewRunbook(JSON.parse(asked) as RunRequest, ended.signal).then(
        (rendered) => {
          setError(undefined)
          setValue({ rendered, asked })
        },
        (failure: unknown) => {
          if (!ended.signal.aborted) setError(asRefused(failure))
        },
      )
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      ended.abort()
    }
  }, [asked])
  return { value, error, asked }
}

interface RenderingProps {
  readonly rendered: Rendered
  readonly file: string
  readonly on: readonly string[]
}

function Rendering({ rendered, file, on }: RenderingProps) {
  const { script, marks = [], gaps = [], connection, commit, env_vars: variables, warning } = rendered
  const places = [...marks, ...gaps].sort((one, other) => one.start - other.start)
  return (
    <>
      {warning !== undefined && <Note tone="wait">{visible(warning)}</Note>}
      <p class="card-body soft small">
        Nothing has run. {marks.length > 0 && 'Values are marked. '}
        {gaps.length > 0 && 'What needs a missing value is a placeholder. '}
        Secret values are hidden.
      </p>
      <pre class="script" tabIndex={0} aria-label="Script">
        <MarkedScript text={script} file={file} marks={places} />
      </pre>
      <dl class="card-foot facts">
        <Fact name="On">
          {on.length === 0 ? (
            'no connection: choose at least one'
          ) : on.length === 1 ? (
            <Name>{on.join('')}</Name>
          ) : (
            <>
              {on.length} connections, here as on <Name>{connection}</Name>
            </>
          )}
        </Fact>
        <Fact name="Commit">
          <code>{commit.slice(0, 12)}</code>
        </Fact>
        {variables.length > 0 && (
          <Fact name="Variables">
            <Name>{variables.map(bareName).join(', ')}</Name>
          </Fact>
        )}
      </dl>
    </>
  )
}

function bareName(variable: string): string {
  return variable.replace(/^(envvar|filesystem):/, '')
}
