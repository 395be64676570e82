import * as v from 'valibot'
import { NEWEST_VERSION } from '../../rooms.ts'
import { checkSchemaVersion } from '../../store/copy.ts'
import { BackupError } from './backup-error.ts'

const KIND = 'runbook-agent backup'
const FORMAT = 1

export const HISTORY_FILE = 'history.sqlite'
/** What belongs to the history and lies beside it: what waits for approval is sealed with this key. */
export const REVIEWS_KEY = 'reviews.key'
const NAMES = [HISTORY_FILE, REVIEWS_KEY] as const

const Sum = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))

const Shape = v.object({
  kind: v.literal(KIND),
  format: v.literal(FORMAT),
  /** Version of the program. */
  program: v.string(),
  /** Version of the history's schema. */
  schema: v.pipe(v.number(), v.integer(), v.minValue(1)),
  made_at: v.pipe(v.string(), v.isoTimestamp()),
  parts: v.pipe(
    v.array(
      v.object({
        name: v.picklist(NAMES),
        bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
        sha256: Sum,
      }),
    ),
    v.check((parts) => new Set(parts.map(({ name }) => name)).size === parts.length),
    v.check((parts) => parts.some(({ name }) => name === HISTORY_FILE)),
  ),
})

/** What a backup is, and what is in it. */
export type Manifest = v.InferOutput<typeof Shape>
export type Part = Manifest['parts'][number]

export function manifestOf(what: Omit<Manifest, 'kind' | 'format'>): Manifest {
  return { kind: KIND, format: FORMAT, ...what }
}

export function manifestLine(manifest: Manifest): string {
  return `${JSON.stringify(manifest)}\n`
}

/** @throws BackupError; HistoryError when the history in it is newer than this program */
export function readManifest(line: string): Manifest {
  const written = parse(line)
  if (written?.kind !== KIND) throw new BackupError('it is no backup')
  if (typeof written.format === 'number' && written.format > FORMAT)
    throw new BackupError(`it was made by a newer version of this program (format ${written.format})`)
  if (typeof written.schema === 'number') checkSchemaVersion(written.schema, NEWEST_VERSION)
  const parsed = v.safeParse(Shape, written)
  if (!parsed.success) throw new BackupError('it has been altered: its first line is not as it was written')
  return parsed.output
}

function parse(line: string): Partial<Record<keyof Manifest, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
