import type { RepositorySettings } from '../../../gateway/settings/settings.ts'
import { note, type Note } from './note.ts'
import type { Migration } from './step.ts'

/** What hoop reads them by is not all in the settings. */
export function repositoryNotes({ settings, carried }: Migration): Note[] {
  return settings.repositories.flatMap((repository) => {
    const remote = carried.repositories.find(({ name }) => name === repository.name)?.remote
    const texts = [...placeNote(remote?.kind), ...branchNote(repository)]
    return texts.map((text) => note(`repository ${repository.name}`, text))
  })
}

function placeNote(kind: string | undefined): string[] {
  if (kind === undefined)
    return [
      'left out, and runbooks of it are closed: it is a folder here. Push it to a server that hoop reaches',
    ]
  if (kind === 'ssh') return ['is read here by the ssh key of this user: give hoop one (ssh_key)']
  return []
}

function branchNote({ branch }: RepositorySettings): string[] {
  const isUsual = branch === undefined || branch === 'main' || branch === 'master'
  return isUsual ? [] : [`branch ${branch}: hoop reads main or master`]
}
