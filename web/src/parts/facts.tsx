import type { ComponentChildren } from 'preact'
import { Name } from './text.tsx'

/** One line of a list of facts. */
export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** Parameters, or whatever else has names and values that others have written. */
export function NamedValues({ values }: { readonly values: Readonly<Record<string, string>> }) {
  return (
    <>
      {Object.entries(values).map(([name, value]) => [
        <dt key={`name ${name}`}>
          <Name>{name}</Name>
        </dt>,
        <dd key={`value ${name}`} class="value">
          <Name>{value}</Name>
        </dd>,
      ])}
    </>
  )
}
