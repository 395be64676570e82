import { Note } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import type { Opened } from './opened.ts'

/** Says whose run the values of the form come from. */
export function EarlierRun({ id, user_name: user, start_date: start }: NonNullable<Opened['earlier']>) {
  return (
    <Note tone="live">
      <p>
        The form has the values of <a href={sessionPath(id)}>an earlier run</a> by <Name>{user}</Name>,
        started <Moment at={start} />. Secret values are not recorded: type them again.
      </p>
    </Note>
  )
}
