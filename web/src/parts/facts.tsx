import type { ComponentChildren } from 'preact'
import { Name } from './text.tsx'

interface FactProps {
  readonly name: ComponentChildren
  readonly children: ComponentChildren
}

export function Fact({ name, children }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Names and values that other people have written. */
export function NamedValues({ values }: { readonly values: Readonly<Record<string, string>> }) {
  return (
    <>
      {Object.entries(values).map(([name, value]) => (
        <Fact key={name} name={<Name>{name}</Name>}>
          <span class="value">
            <Name>{value}</Name>
          </span>
        </Fact>
      ))}
    </>
  )
}
