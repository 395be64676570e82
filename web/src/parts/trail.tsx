import { Name } from './text.tsx'

interface TrailProps {
  readonly href: string
  readonly list: string
  /** Label of the link, because the sidebar has a link with the same name. */
  readonly label?: string
  readonly file?: string | undefined
}

/** The place of a view: a link to its list, and the file of its runbook. */
export function Trail({ href, list, label, file }: TrailProps) {
  return (
    <nav aria-label="Where you are">
      <ol class="trail">
        <li>
          <a href={href} aria-label={label}>
            {list}
          </a>
        </li>
        {file !== undefined && (
          <li>
            <code>
              <Name>{file}</Name>
            </code>
          </li>
        )}
      </ol>
    </nav>
  )
}
