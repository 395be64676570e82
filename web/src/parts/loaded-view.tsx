import type { ComponentChildren } from 'preact'
import type { Loaded } from './loaded.ts'
import { Loading, Problem } from './messages.tsx'

interface LoadedViewProps<Value> {
  readonly loaded: Loaded<Value>
  readonly trail: ComponentChildren
  /** The heading that is shown until the value is loaded. */
  readonly heading: string
  readonly children: (value: Value) => ComponentChildren
}

/**
 * Shows the trail and the heading until the object is loaded. Then shows the content, which has its own
 * heading.
 */
export function LoadedView<Value>({ loaded, trail, heading, children }: LoadedViewProps<Value>) {
  const { value, error, reload } = loaded
  return (
    <section class="view">
      {value === undefined && (
        <header class="head">
          {trail}
          <h1>{heading}</h1>
        </header>
      )}
      {value === undefined && error === undefined && <Loading />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value !== undefined && children(value)}
    </section>
  )
}
