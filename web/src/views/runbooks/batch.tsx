import { useState } from 'preact/hooks'
import type { RunRequest } from '../../api/gateway.ts'
import { ask } from '../../api/request.ts'
import type { Batch, Connection } from '../../api/types.ts'
import { TextField } from '../../form/text-field.tsx'
import { batchPath } from '../../parts/paths.ts'
import { go } from '../../parts/router.ts'
import { visible } from '../../parts/visible.ts'

export interface BatchDraft {
  readonly isOpen: boolean
  readonly setOpen: (isOpen: boolean) => void
  readonly chosen: ReadonlySet<string>
  readonly choose: (names: readonly string[], isChosen: boolean) => void
  /** The connection for which the preview is made. */
  readonly first: string | undefined
  readonly settings: Readonly<Record<'waves' | 'parallel' | 'stop_after', string>>
  readonly change: (name: string, value: string) => void
}

/** @param connection the connection that is chosen without a batch: the first one of the batch, too */
export function useBatchDraft(connection: string): BatchDraft {
  const [isOpen, setIsOpen] = useState(false)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [settings, setSettings] = useState({ waves: '1,rest', parallel: '10', stop_after: '1' })
  const choose = (names: readonly string[], isChosen: boolean) =>
    setChosen((before) => (isChosen ? before.union(new Set(names)) : before.difference(new Set(names))))
  const setOpen = (isNow: boolean) => {
    if (isNow && chosen.size === 0) choose([connection], true)
    setIsOpen(isNow)
  }
  const [first] = isOpen ? chosen : []
  const change = (name: string, value: string) => setSettings((before) => ({ ...before, [name]: value }))
  return { isOpen, setOpen, chosen, choose, first, settings, change }
}

export async function startBatch({ chosen, settings }: BatchDraft, request: RunRequest): Promise<void> {
  const body = {
    ...withoutConnection(request),
    connections: [...chosen],
    waves: settings.waves,
    parallel: Number(settings.parallel),
    stop_after: /^\d+$/.test(settings.stop_after) ? Number(settings.stop_after) : settings.stop_after,
  }
  const { id } = await ask<Batch>('POST', '/api/batches', { body })
  go(batchPath(id))
}

function withoutConnection(request: RunRequest): Omit<RunRequest, 'connection_name'> {
  return Object.fromEntries(
    Object.entries(request).filter(([name]) => name !== 'connection_name'),
  ) as unknown as Omit<RunRequest, 'connection_name'>
}

interface BatchFieldsProps {
  readonly batch: BatchDraft
  readonly connections: readonly Connection[]
}

export function BatchFields({ batch, connections }: BatchFieldsProps) {
  if (connections.length < 2) return null
  return (
    <>
      <label class="tick">
        <input
          type="checkbox"
          checked={batch.isOpen}
          onChange={(event) => batch.setOpen(event.currentTarget.checked)}
        />
        Run on several connections, wave by wave
      </label>
      {batch.isOpen && <OpenBatch batch={batch} connections={connections} />}
    </>
  )
}

function OpenBatch({ batch, connections }: BatchFieldsProps) {
  const { chosen, choose, settings, change } = batch
  const [wanted, setWanted] = useState('')
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  const found = connections.filter((connection) => {
    const text = textOf(connection)
    return words.every((word) => text.includes(word))
  })
  const names = found.map(({ name }) => name)
  return (
    <fieldset class="stack">
      <legend>Connections</legend>
      <div class="line">
        <input
          type="search"
          aria-label="Search connections"
          placeholder="Search names and tags, like env=prod"
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
        <button type="button" class="button is-small" onClick={() => choose(names, true)}>
          All
        </button>
        <button type="button" class="button is-small" onClick={() => choose(names, false)}>
          None
        </button>
      </div>
      <div class="choices">
        {found.map(({ name, status, connection_tags: tags }) => (
          <label class="tick" key={name}>
            <input
              type="checkbox"
              aria-label={visible(name)}
              checked={chosen.has(name)}
              onChange={(event) => choose([name], event.currentTarget.checked)}
            />
            <bdi>{visible(name)}</bdi>
            <span class="hint">
              {Object.entries(tags)
                .map(([key, value]) => visible(`${key}=${value}`))
                .join(', ')}
              {status === 'online' ? '' : ' (offline)'}
            </span>
          </label>
        ))}
        {found.length === 0 && <p class="hint">No connection has all these words in its name or tags.</p>}
      </div>
      <TextField
        label="Waves"
        hint="Sizes of the waves: numbers, percentages such as 10%, and rest. A wave starts after the previous wave has ended."
        value={settings.waves}
        onValue={(value) => change('waves', value)}
      />
      <TextField
        label="Parallel runs"
        value={settings.parallel}
        onValue={(value) => change('parallel', value)}
      />
      <TextField
        label="Stop after failures"
        hint="A number or a percentage such as 10%; 100% never stops the batch."
        value={settings.stop_after}
        onValue={(value) => change('stop_after', value)}
      />
    </fieldset>
  )
}

function textOf({ name, connection_tags: tags }: Connection): string {
  const pairs = Object.entries(tags).map(([key, value]) => `${key}=${value}`)
  return [name, ...pairs].join(' ').toLowerCase()
}
