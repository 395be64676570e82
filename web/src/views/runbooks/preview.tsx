import type { Rendered } from '../../api/types.ts'
import type { Parameter } from '../../form/parameters.ts'
import { shownScript } from '../../form/secrets.ts'
import { Coloured } from '../../parts/coloured.tsx'
import { Fact } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'

export interface Previewed {
  readonly rendered: Rendered
  /** The values at the time of the request. */
  readonly values: Readonly<Record<string, string>>
  /** The request as JSON. If the form has changed since, the form's request is different. */
  readonly asked: string
}

interface PreviewProps {
  /** Undefined before the first preview. */
  readonly of: Previewed | undefined
  /** Whether the form has changed since the preview. */
  readonly isOld: boolean
  readonly busy: boolean
  readonly onPreview: () => void
  readonly parameters: readonly Parameter[]
  /** The ending of the file decides the language of the colouring. */
  readonly file: string
}

/** Shows the script that would run. */
export function Preview({ of, isOld, busy, onPreview, parameters, file }: PreviewProps) {
  return (
    <section class="card stays preview" aria-label="Script that would run">
      <div class="card-head">
        <h2>What would run</h2>
        <span class="push" />
        <button type="button" class="button is-small" onClick={onPreview} disabled={busy}>
          <Icon name="eye" small />
          Preview
        </button>
      </div>
      {of === undefined ? (
        <p class="card-body soft small">
          Fill in the form. Preview then shows the script exactly as it would be sent, and runs nothing.
        </p>
      ) : (
        <Rendering of={of} isOld={isOld} parameters={parameters} file={file} />
      )}
    </section>
  )
}

type RenderingProps = Pick<PreviewProps, 'isOld' | 'parameters' | 'file'> & { readonly of: Previewed }

function Rendering({ of: { rendered, values }, isOld, parameters, file }: RenderingProps) {
  const { connection, commit, env_vars: variables, warning } = rendered
  return (
    <>
      {isOld && <Note tone="wait">The form has changed since this preview. Choose Preview again.</Note>}
      {warning !== undefined && <Note tone="wait">{visible(warning)}</Note>}
      <p class="card-body soft small">Nothing has run. Secret values are hidden.</p>
      <pre class="script" tabIndex={0} aria-label="Script">
        <Coloured text={visibleLines(shownScript(rendered, parameters, values))} file={file} />
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
