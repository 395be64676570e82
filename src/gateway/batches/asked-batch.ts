import type { ConnectionSettings } from '../settings/settings.ts'
import type { Batch, BatchRun } from './batch.ts'
import type { BatchRequest } from './run-request.ts'

/** A requested batch whose connections were all checked. */
export interface AskedBatch extends Pick<
  Batch,
  'repository' | 'file' | 'commit' | 'parameters' | 'waves' | 'parallel' | 'threshold' | 'brought' | 'retryOf'
> {
  readonly id: string
  readonly connections: readonly ConnectionSettings[]
  /** The request for each run. `sessionBatchId` is the batch's id. */
  readonly request: BatchRequest
  readonly warning: string | undefined
}

export function newBatch({ id, request, repository, file, commit, ...asked }: AskedBatch): Batch {
  const { parameters, waves, parallel, threshold, warning, brought, retryOf } = asked
  const { runbookTitle: title } = request.labels
  return {
    id,
    owner: request.user,
    status: 'waiting',
    createdAt: Date.now(),
    repository,
    file,
    commit,
    parameters,
    waves,
    parallel,
    threshold,
    ...(title !== undefined && { title }),
    metadata: request.metadata,
    ...(brought !== undefined && { brought }),
    ...(retryOf !== undefined && { retryOf }),
    ...(warning !== undefined && { warning }),
  }
}

export function newRuns({ connections, waves }: AskedBatch): BatchRun[] {
  const waveOf = waves.flatMap((size, at) => Array.from({ length: size }, () => at + 1))
  return connections.map(({ name }, position) => ({
    position,
    wave: waveOf[position] ?? waves.length,
    connection: name,
    status: 'not-begun' as const,
  }))
}

export function wavesOf(runs: readonly BatchRun[]): string[][] {
  const waves: string[][] = []
  for (const { wave, connection } of runs) (waves[wave - 1] ??= []).push(connection)
  return waves
}
