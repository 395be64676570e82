import type { Current } from '../settings/current-settings.ts'
import { Jira } from './client.ts'

/** The site of the settings in force, each time it is asked for; undefined while they have none. */
export function currentJira(current: Current<'jira'>): () => Jira | undefined {
  let of = current.value.jira
  let jira = of && new Jira(of)
  return () => {
    if (of !== current.value.jira) {
      of = current.value.jira
      jira = of && new Jira(of)
    }
    return jira
  }
}
