import { useEffect, useState } from 'preact/hooks'
import { renderRunbook, type RunRequest } from '../../api/gateway.ts'
import { asRefused, type Refused } from '../../api/request.ts'
import type { Rendered } from '../../api/types.ts'
import type { Draft } from '../../form/draft.ts'
import type { Parameter, Values } from '../../form/parameters.ts'
import { shownScript } from '../../form/secrets.ts'
import { Fact } from '../../parts/facts.tsx'
import { MarkedScript } from '../../parts/marked-script.tsx'
import { Note, Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'

/** Time without a change of the form, in ms, after which it is rendered. */
const PAUSE_MS = 300

interface Previewed {
  readonly rendered: Rendered
  /** The values at the time of the request. */
  readonly values: Values
  /** The request as JSON. If the form has changed since, the form's request is different. */
  readonly asked: string
}

interface PreviewProps {
  readonly request: RunRequest
  readonly draft: Draft
  /** The ending of the file decides the language of the colouring. */
  readonly file: string
}

/** Shows the script that would run, as the form is filled in. Nothing runs, and nothing is recorded. */
export function Preview({ request, draft, file }: PreviewProps) {
  const { value, error, asked } = usePreview(request, draft.values, draft.missing.length === 0)
  const isOld = value !== undefined && value.asked !== asked
  return (
    <section class="card stays preview" aria-label="Script that would run" aria-busy={isOld}>
      <div class="card-head">
        <h2>What would run</h2>
        <span class="push" />
        <span class="soft small">as you type</span>
      </div>
      {draft.missing.length > 0 && (
        <Note tone="live">
          <p>Still missing: {draft.missing.map(visible).join(', ')}.</p>
        </Note>
      )}
      {error !== undefined && <Problem error={error} />}
      {value !== undefined && <Rendering of={value} parameters={draft.parameters} file={file} />}
    </section>
  )
}

function usePreview(request: RunRequest, values: Values, isComplete: boolean) {
  const [value, setValue] = useState<Previewed | undefined>(undefined)
  const [error, setError] = useState<Refused | undefined>(undefined)
  const asked = JSON.stringify(request)
  useEffect(() => {
    if (!isComplete) return setError(undefined)
    const ended = new AbortController()
    const timer = setTimeout(() => {
      renderRunbook(JSON.parse(asked) as RunRequest, ended.signal).then(
        (rendered) => {
          setError(undefined)
          setValue({ rendered, values, asked })
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
    // The values are part of `asked`.
  }, [asked, isComplete])
  return { value, error, asked }
}

interface RenderingProps {
  readonly of: Previewed
  readonly parameters: readonly Parameter[]
  readonly file: string
}

function Rendering({ of: { rendered, values }, parameters, file }: RenderingProps) {
  const { connection, commit, env_vars: variables, warning } = rendered
  const { text, marks } = shownScript(rendered, parameters, values)
  return (
    <>
      {warning !== undefined && <Note tone="wait">{visible(warning)}</Note>}
      <p class="card-body soft small">
        Nothing has run. {marks.length > 0 && 'Values are marked. '}Secret values are hidden.
      </p>
      <pre class="script" tabIndex={0} aria-label="Script">
        <MarkedScript text={text} file={file} marks={marks} />
      </pre>
      <dl class="card-foot facts">
        <Fact name="On">
          <Name>{connection}</Name>
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
