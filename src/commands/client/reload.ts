import { printableLine } from '../../basics/text/printable.ts'
import { call, type Read } from '../../client/rest/call.ts'
import type { AnswerOf } from '../../contract/contract.ts'
import { settingsContract } from '../../contract/gateway.ts'
import { type AskingFlags, factLines, showingCommand } from './asking/asking.ts'

export interface ReloadFlags extends AskingFlags {
  readonly dryRun?: boolean
}

type Changes = Read<AnswerOf<typeof settingsContract.reload>>

/** Lets the gateway read gateway.yaml again. Prints what has changed. */
export function reloadCommand({ dryRun = false, ...flags }: ReloadFlags): Promise<number> {
  return showingCommand(
    flags,
    dryRun ? 'cannot check the changes' : 'cannot reload the settings',
    (account) => call(account, dryRun ? settingsContract.preview : settingsContract.reload, {}),
    changesText,
  )
}

function changesText(changed: Changes): string {
  const { changes, entries, waiting, values_left_out: leftOut, restart_required: restart } = changed
  if (changes.length === 0 && restart.length === 0) return 'nothing has changed\n'
  const facts = factLines([
    ...changes.map((change) => [change.setting, changeText(change)] as const),
    ['after a restart', restart.join(', ')],
  ])
  const details = [
    ...entries.flatMap(entryLines),
    ...(leftOut > 0 ? [`${leftOut} further values have changed and are not shown`] : []),
    ...(waiting?.map(waitingLine) ?? ['the gateway could not read the requests that wait']),
  ]
  return details.length === 0 ? facts : `${facts}\n${details.map((line) => `${line}\n`).join('')}`
}

function changeText({ added, removed, changed }: Changes['changes'][number]): string {
  const parts = Object.entries({ added, removed, changed }).filter(([, names]) => names.length > 0)
  return parts.map(([word, names]) => `${word} ${names.join(', ')}`).join('; ') || 'changed'
}

const EFFECTS: Readonly<Record<string, string>> = {
  opens: ' (opens access)',
  closes: ' (closes access)',
  both: ' (opens and closes access)',
}

function entryLines({ setting, name, change, effect, values }: Changes['entries'][number]): string[] {
  const said = name === setting ? name : `${setting} ${name}`
  const lines = values.map(({ name: part, before, after, is_secret: isSecret }) => {
    const what = isSecret ? 'changed (a secret)' : `${before || '(none)'} -> ${after || '(none)'}`
    return `  ${printableLine(`${part === '' ? name : part}: ${what}`)}`
  })
  return [printableLine(`${said}: ${change}${EFFECTS[effect] ?? ''}`), ...lines]
}

function waitingLine({ user, connection, runbook, says }: NonNullable<Changes['waiting']>[number]): string {
  return printableLine(`request of ${user} on ${connection}${runbook === '' ? '' : `, ${runbook}`}: ${says}`)
}
