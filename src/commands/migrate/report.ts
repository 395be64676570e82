import { oneLine } from '../../basics/text/printable.ts'
import { itemTable, type ItemColumn } from '../../basics/text/table.ts'
import { factLines } from '../client/asking/asking.ts'
import type { Note } from './hoop/notes.ts'
import type { MigrationStep } from './hoop/step.ts'

/** The outcome of a step; `planned` in a dry run. */
type Outcome = 'planned' | 'done' | 'refused' | 'left'

export interface Reported {
  readonly step: MigrationStep
  readonly outcome: Outcome
}

export interface Report {
  readonly to: string
  readonly isDryRun: boolean
  readonly steps: readonly Reported[]
  readonly notes: readonly Note[]
}

const COLUMNS: readonly ItemColumn<Reported>[] = [
  { heading: 'DO', of: ({ step, outcome }) => wordOf(step, outcome) },
  { heading: 'WHAT', of: ({ step }) => step.kind },
  { heading: 'NAME', shrinks: true, of: ({ step }) => step.name },
  { heading: 'PARTS', shrinks: true, of: ({ step }) => step.parts.join(', ') },
]

const DONE = { create: 'created', change: 'changed', same: 'same' }

/** The report for people: a line for each object, and one for each difference in hoop. */
export function reportText({ to, isDryRun, steps, notes }: Report, width: number): string {
  const parts = [
    `${oneLine(to)}: ${countsOf(steps)}${isDryRun ? '. Nothing was written: --apply does it' : ''}\n`,
    steps.length === 0 ? '' : itemTable(COLUMNS, steps, width),
    section(
      'Weaker there',
      notes.filter(({ isWeaker }) => isWeaker),
    ),
    section(
      'Not carried over, or to be looked at',
      notes.filter(({ isWeaker }) => !isWeaker),
    ),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function section(heading: string, notes: readonly Note[]): string {
  if (notes.length === 0) return ''
  return `${heading}:\n${factLines(
    notes.map(({ about, text }) => [about, text]),
    '  ',
  )}`
}

function wordOf({ action }: MigrationStep, outcome: Outcome): string {
  if (outcome === 'planned' || action === 'same') return action
  return outcome === 'done' ? DONE[action] : outcome
}

function countsOf(steps: readonly Reported[]): string {
  const words = steps.map(({ step, outcome }) => wordOf(step, outcome))
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ') || 'nothing to do'
}

export function reportJson({ to, isDryRun, steps, notes }: Report): object {
  return {
    to,
    dry_run: isDryRun,
    steps: steps.map(({ step: { kind, name, action, parts }, outcome }) => ({
      ...{ kind, name, action, parts, outcome },
    })),
    notes: notes.map(({ about, text, isWeaker }) => ({ about, text, weaker: isWeaker })),
  }
}
