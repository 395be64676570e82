import type { SettingsChanges } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'

type Entry = SettingsChanges['entries'][number]
type Value = Entry['values'][number]

interface ChangedEntriesProps {
  readonly title: string
  readonly entries: readonly Entry[]
}

/** A table of the values before and after a reload. */
export function ChangedEntries({ title, entries }: ChangedEntriesProps) {
  if (entries.length === 0) return null
  return (
    <section class="reload-part" aria-label={title}>
      <h3>{title}</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, before and after`}>
        <table class="changes">
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          {entries.map((entry) => (
            <tbody key={`${entry.setting} ${entry.name}`}>
              <tr class="entry">
                <th scope="rowgroup" colSpan={2}>
                  <Name>{entry.name === entry.setting ? entry.name : `${entry.setting}: ${entry.name}`}</Name>{' '}
                  {entry.change !== 'changed' && <span class="soft">{entry.change}</span>}
                </th>
                <td>
                  <Effect effect={entry.effect} />
                </td>
              </tr>
              {entry.values.map((value) => (
                <ValueRow key={value.name} value={value} change={entry.change} />
              ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  )
}

function ValueRow({ value, change }: { readonly value: Value; readonly change: Entry['change'] }) {
  const { name, before, after, is_secret: isSecret, effect } = value
  return (
    <tr>
      <th scope="row" class="plain-th">
        <Name>{name || 'value'}</Name>
        {effect !== 'other' && <span class="said-only">, {EFFECTS[effect].text}</span>}
      </th>
      {isSecret ? (
        <td colSpan={2} class="soft">
          <Icon name="lock" small /> {change === 'changed' ? 'changed' : change}, not shown
        </td>
      ) : (
        <>
          <td>{before === null ? <None /> : <Shown as="del" text={before} />}</td>
          <td>{after === null ? <None /> : <Shown as="ins" text={after} />}</td>
        </>
      )}
    </tr>
  )
}

function None() {
  return <span class="soft">none</span>
}

function Shown({ as: Tag, text }: { readonly as: 'del' | 'ins'; readonly text: string }) {
  return (
    <Tag>
      <span class="said-only">{Tag === 'del' ? 'before: ' : 'after: '}</span>
      {text === '' ? 'empty' : <Name>{text}</Name>}
    </Tag>
  )
}

const EFFECTS = {
  opens: { text: 'opens access', icon: 'alert', tone: 'chip is-bad' },
  both: { text: 'opens and closes access', icon: 'alert', tone: 'chip is-bad' },
  closes: { text: 'closes access', icon: 'shield', tone: 'chip is-good' },
} as const

function Effect({ effect }: { readonly effect: Entry['effect'] }) {
  if (effect === 'other') return null
  const { text, icon, tone } = EFFECTS[effect]
  return (
    <span class={tone}>
      <Icon name={icon} small />
      {text}
    </span>
  )
}

/** Shows what the reload does to requests that wait. */
export function Waiting({ waiting }: { readonly waiting: SettingsChanges['waiting'] }) {
  return (
    <section class="reload-part" aria-label="Waiting requests">
      <h3>Waiting requests</h3>
      {waiting === null && <p>The gateway cannot read the requests now. The reload works without them.</p>}
      {waiting?.length === 0 && <p class="soft small">The reload has no effect on waiting requests.</p>}
      {waiting !== null && waiting.length > 0 && (
        <ul>
          {waiting.map(({ session_id: id, user, connection, runbook, says }) => (
            <li key={id}>
              <a href={approvalPath(id)}>
                <Name>{`${runbook ?? 'Request'} on ${connection}, by ${user}`}</Name>
              </a>
              <span class="under">
                <Name>{says}</Name>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
