import { useState } from 'preact/hooks'
import type { Change } from '../../api/fresh.ts'
import type { Refused } from '../../api/request.ts'
import type { Token } from '../../api/types.ts'
import { Choice } from '../../form/choice.tsx'
import { DangerDialog } from '../../parts/danger-dialog.tsx'
import { FormDialog } from '../../parts/form-dialog.tsx'
import { Name } from '../../parts/text.tsx'
import { Lifetime, LIFETIMES, lifetimeSeconds } from './lifetime.tsx'

interface QuestionProps {
  readonly token: Token
  readonly busy: boolean
  readonly error: Refused | undefined
  readonly make: (change: Change) => void
  readonly onClose: () => void
}

const pathOf = ({ id }: Token) => `/api/tokens/${encodeURIComponent(id)}`

const AS_BEFORE = 'as before'
const AT_ONCE = ['0', 'at once'] as const
const OVERLAPS = [
  ['3600', 'in an hour'],
  ['86400', 'in a day'],
  ['604800', 'in 7 days'],
] as const

/** The old token stays valid for a time, so that programs can change to the new one. */
export function Rotate({ token, busy, error, make, onClose }: QuestionProps) {
  const [overlap, setOverlap] = useState('86400')
  const [lifetime, setLifetime] = useState(AS_BEFORE)
  const isOfBrowser = token.current === true
  const submit = () => {
    const expires = lifetime === AS_BEFORE ? {} : { expires_in: lifetimeSeconds(lifetime) }
    make({ method: 'POST', path: `${pathOf(token)}/rotate`, body: { overlap: Number(overlap), ...expires } })
  }
  return (
    <FormDialog
      title={
        <>
          Rotate <Name>{token.name}</Name>
        </>
      }
      error={error}
      onSubmit={submit}
      onClose={onClose}
      action="Rotate token"
      icon="again"
      startsAtAction
      disabled={busy || (lifetime !== AS_BEFORE && lifetimeSeconds(lifetime) === undefined)}
    >
      <p>You get a new token with the same name. Give it to your programs before the old token expires.</p>
      <Choice
        label="The old token expires"
        hint={
          isOfBrowser
            ? 'This browser is signed in with the old token. After the old token expires, sign in with the new token.'
            : undefined
        }
        value={overlap}
        onValue={setOverlap}
        // "At once" would sign this browser out before its user has copied the new token.
        options={isOfBrowser ? OVERLAPS : [AT_ONCE, ...OVERLAPS]}
      />
      <Lifetime
        label="Lifetime of the new token"
        value={lifetime}
        onValue={setLifetime}
        options={[[AS_BEFORE, 'the same as the old token'], ...LIFETIMES.slice(0, -1)]}
      />
    </FormDialog>
  )
}

/** Asks before a token is revoked, because a revoked token never becomes valid again. */
export function Revoke({ token, busy, error, make, onClose }: QuestionProps) {
  return (
    <DangerDialog
      title={
        <>
          Revoke <Name>{token.name}</Name> of <Name>{token.user}</Name>?
        </>
      }
      busy={busy}
      error={error}
      keep="Keep token"
      icon="ban"
      action="Revoke token"
      onAct={() => make({ method: 'DELETE', path: pathOf(token) })}
      onClose={onClose}
    >
      <p>
        The gateway no longer accepts the token. Terminals and commands that use it end within a second. A
        revoked token cannot be restored.
      </p>
      {token.current === true && (
        <p>
          <strong>This browser is signed in with this token. You will be signed out.</strong>
        </p>
      )}
    </DangerDialog>
  )
}
