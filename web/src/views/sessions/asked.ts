import { person } from '../../api/person.ts'

/**
 * Sessions that this tab has asked for and that wait for an approval, each with the name of who was signed in. As `run` of
 * the command line does, it runs them when they are approved. After a reload, or as somebody else, somebody has to say so.
 */
const asked = new Map<string, string>()

export function runWhenApproved(session: string): void {
  const name = person.peek()?.name
  if (name !== undefined) asked.set(session, name)
}

export function runsWhenApproved(session: string): boolean {
  const name = asked.get(session)
  return name !== undefined && name === person.value?.name
}

/** It has begun, or could not. */
export function isAskedNoMore(session: string): void {
  asked.delete(session)
}
