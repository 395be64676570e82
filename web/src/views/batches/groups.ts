import type { Batch } from '../../api/types.ts'

type Run = Batch['runs'][number]
/** `stopped`: runs of `may-have-run` that somebody stopped. */
type Group = NonNullable<Run['retry_group']> | 'stopped'

interface GroupText {
  readonly group: Group
  /** After a number of runs. */
  readonly words: string
  readonly title: string
  readonly hint: string
  /** Whether the runs are chosen at first. */
  readonly isUsual: boolean
}

export const GROUPS: readonly GroupText[] = [
  {
    group: 'failed',
    words: 'failed',
    title: 'Failed',
    hint: 'The command ended by itself, with a failure.',
    isUsual: true,
  },
  {
    group: 'never-began',
    words: 'never began',
    title: 'Never began',
    hint: 'Nothing has run there.',
    isUsual: true,
  },
  {
    group: 'stopped',
    words: 'stopped',
    title: 'Stopped',
    hint: 'Somebody stopped the command, and it may have had an effect before. Look at its session, and at the system, before you run it again.',
    isUsual: false,
  },
  {
    group: 'may-have-run',
    words: 'may have had an effect',
    title: 'May have had an effect',
    hint: 'The command was ended from outside, or nobody knows how it ended. Look at its session, and at the system, before you run it again.',
    isUsual: false,
  },
]

/** The group of a run in a retry. Undefined for a run that cannot be run again, and for all before the end. */
export function groupOf({ retry_group: group, status }: Run): Group | undefined {
  return status === 'stopped' && group === 'may-have-run' ? 'stopped' : (group ?? undefined)
}
