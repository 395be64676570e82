import type { ComponentChildren } from 'preact'
import type { ListedSession } from '../../api/types.ts'
import { sessionName } from '../../parts/called.ts'
import { Icon, type IconName } from '../../parts/icon.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { placeOfSession } from '../sessions/place.ts'
import { StateBadge } from '../sessions/state.tsx'

interface CardProps {
  readonly title: string
  readonly all?: readonly [to: string, name: string]
  readonly none?: string
  /** False if the content is a list by itself. */
  readonly isList?: boolean
  readonly children: ComponentChildren
}

export function Card({ title, all, none = '', isList = true, children }: CardProps) {
  const isEmpty = Array.isArray(children) && children.length === 0
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        {all !== undefined && (
          <a class="push small" href={all[0]}>
            {all[1]}
          </a>
        )}
      </div>
      {isEmpty && <p class="card-body soft small">{none}</p>}
      {!isEmpty && (isList ? <ul class="rows is-loose">{children}</ul> : children)}
    </section>
  )
}

interface RowProps {
  readonly icon: IconName
  readonly to: string
  readonly title: string
  readonly about: ComponentChildren
  readonly children?: ComponentChildren
}

export function Row({ icon, to, title, about, children }: RowProps) {
  return (
    <li>
      <Icon name={icon} />
      <div class="row-text">
        <a class="whole" href={to}>
          <Name>{title}</Name>
        </a>
        <span>{about}</span>
      </div>
      {children}
    </li>
  )
}

interface SessionRowProps {
  readonly session: ListedSession
  /** Whether to name the user. */
  readonly isOthers?: boolean
}

export function SessionRow({ session, isOthers = false }: SessionRowProps) {
  const { id, user, labels, start_date: asked, began_at: began = null, end_date: end, review } = session
  return (
    <Row
      icon={
        review?.batch === undefined ? (labels?.['runbookFile'] === undefined ? 'terminal' : 'book') : 'waves'
      }
      to={sessionPath(id)}
      title={sessionName(session)}
      about={
        <>
          {isOthers && (
            <>
              <Name>{user}</Name>{' '}
            </>
          )}
          on <Name>{placeOfSession(session)}</Name> · {began === null && 'asked '}
          {began !== null && end === null ? (
            <Elapsed from={began} to={end} />
          ) : (
            <Moment at={began ?? asked} />
          )}
        </>
      }
    >
      <StateBadge state={session.state} />
    </Row>
  )
}
