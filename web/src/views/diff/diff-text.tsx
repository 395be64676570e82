import { visible } from '../../parts/visible.ts'

/** Added and removed lines differ by their first character, not only by colour. */
export function DiffText({ diff }: { readonly diff: string }) {
  return (
    <pre class="script diff" tabIndex={0} aria-label="Difference">
      {diff
        .replace(/\n$/, '')
        .split('\n')
        .map((line, index) => (
          <span key={index} class={kindOf(line)}>
            {visible(line)}
            {'\n'}
          </span>
        ))}
    </pre>
  )
}

function kindOf(line: string): string {
  if (line.startsWith('@@')) return 'diff-place'
  if (line.startsWith('+')) return 'diff-added'
  return line.startsWith('-') ? 'diff-removed' : ''
}
