import type { Rendered } from '../../api/types.ts'
import type { Parameter, Values } from '../../form/parameters.ts'
import { shownScript } from '../../form/secrets.ts'
import { Coloured } from '../../parts/coloured.tsx'
import { Name } from '../../parts/text.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'

interface PreviewProps {
  readonly rendered: Rendered
  readonly values: Values
  readonly parameters: readonly Parameter[]
  /** Its name says the language. */
  readonly file: string
}

/** What would be sent. Nothing has run. */
export function Preview({ rendered, values, parameters, file }: PreviewProps) {
  const { connection, commit, env_vars, warning } = rendered
  return (
    <section class="preview" aria-label="Script that would run">
      <h2>Preview</h2>
      <p class="hint">
        Nothing has run. This would go to <Name>{connection}</Name>, from commit{' '}
        <code>{commit.slice(0, 12)}</code>
        {env_vars.length > 0 && (
          <>
            , with the variables <Name>{env_vars.map(bareName).join(', ')}</Name>
          </>
        )}
        . Secret values are hidden.
      </p>
      {warning !== undefined && (
        <p class="warning" dir="auto">
          {visible(warning)}
        </p>
      )}
      <pre class="script" tabIndex={0} aria-label="Script">
        <Coloured text={visibleLines(shownScript(rendered, parameters, values))} file={file} />
      </pre>
    </section>
  )
}

function bareName(variable: string): string {
  return variable.replace(/^(envvar|filesystem):/, '')
}
