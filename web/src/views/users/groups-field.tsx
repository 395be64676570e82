import { useId } from 'preact/hooks'
import { readGroups } from '../../api/gateway.ts'
import { Choice } from '../../form/choice.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Name } from '../../parts/text.tsx'
import { ROLES, wordsOf, type Role } from './of-user.ts'

interface GroupsFieldProps {
  readonly role: Role
  readonly groups: string
  readonly onChange: (changed: { readonly role?: Role; readonly groups?: string }) => void
}

/** Maximum number of buttons for groups. Other groups can be typed. */
const MAX_BUTTONS = 16

export function GroupsField({ role, groups, onChange }: GroupsFieldProps) {
  const id = useId()
  const { value: known = [] } = useLoaded(readGroups)
  const chosen = wordsOf(groups)
  const others = known.filter((group) => group !== 'admin' && group !== 'auditor').slice(0, MAX_BUTTONS)
  const toggle = (group: string) => {
    const next = chosen.includes(group) ? chosen.filter((one) => one !== group) : [...chosen, group]
    onChange({ groups: next.join(' ') })
  }
  return (
    <>
      <Choice
        label="Role"
        value={role}
        onValue={(value) => onChange({ role: value as Role })}
        options={ROLES}
      />
      <div class="field">
        <label for={id}>Groups</label>
        <p class="hint" id={`${id}-hint`}>
          Groups decide which connections the user may use and what the user may approve. Write spaces between
          the groups.
        </p>
        <input
          id={id}
          type="text"
          aria-describedby={`${id}-hint`}
          autocomplete="off"
          spellcheck={false}
          value={groups}
          onInput={(event) => onChange({ groups: event.currentTarget.value })}
        />
        {others.length > 0 && (
          <div class="line" role="group" aria-label="Known groups">
            {others.map((group) => (
              <button
                type="button"
                key={group}
                class="button is-small"
                aria-pressed={chosen.includes(group)}
                onClick={() => toggle(group)}
              >
                <Name>{group}</Name>
              </button>
            ))}
          </div>
        )}
      </div>
    </>
  )
}
