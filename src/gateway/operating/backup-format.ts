import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { constants, createGunzip, createGzip } from 'node:zlib'
import * as v from 'valibot'
import { NEWEST_VERSION } from '../rooms.ts'
import { checkSchemaVersion } from '../store/copy.ts'

// A backup is a gzip file. It has one line of JSON (the manifest), then the parts in the manifest's order,
// without gaps.

const READ_BYTES = 256 * 1024
/** Maximum length of the manifest, which lists only a few parts. */
const MAX_LINE_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** Makes the stream of a backup. The caller has to read the stream to its end, or destroy it. */
export function pack(manifest: Manifest, folder: string): Readable {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED })
  const plain = Readable.from(plainBytes(manifest, folder), { objectMode: false })
  plain.on('error', (error) => gzip.destroy(error))
  gzip.on('close', () => plain.destroy())
  return plain.pipe(gzip)
}

async function* plainBytes(manifest: Manifest, folder: string): AsyncGenerator<Buffer> {
  yield Buffer.from(manifestLine(manifest))
  for (const { name } of manifest.parts)
    yield* createReadStream(path.join(folder, name), {
      highWaterMark: READ_BYTES,
    }) as AsyncIterable<Buffer>
}

/** Receives the parts of a backup. A part begins only after all bytes of the part before. */
interface PartSink {
  readonly begin: (manifest: Manifest) => void | Promise<void>
  readonly write: (part: Part, bytes: Buffer) => void | Promise<void>
}

/**
 * Reads a backup, and does not check its hashes.
 * @throws BackupError if the backup is truncated, or has more bytes than its manifest says
 */
export async function unpack(file: AsyncIterable<Buffer>, sink: PartSink): Promise<Manifest> {
  await using bytes = new ByteReader(unzipped(file))
  const manifest = readManifest(await bytes.line())
  await sink.begin(manifest)
  for (const part of manifest.parts) {
    for (let left = part.bytes; left > 0;) {
      const piece = await bytes.atMost(left)
      left -= piece.length
      await sink.write(part, piece)
    }
  }
  if (!(await bytes.isAtEnd()))
    throw new BackupError('the backup was altered: it has more bytes than its first line says')
  return manifest
}

async function* unzipped(file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(file, { objectMode: false })
  const gunzip = createGunzip()
  source.on('error', (error) => gunzip.destroy(error))
  try {
    yield* source.pipe(gunzip) as AsyncIterable<Buffer>
  } catch (error) {
    throw zipError(error)
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}

function zipError(error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR') return new BackupError('the backup is truncated: its end is missing')
  if (!code.startsWith('Z_')) return error
  if (message.includes('header')) return new BackupError('the file is not a backup')
  return new BackupError(`the backup was altered (${message})`)
}

class ByteReader implements AsyncDisposable {
  readonly #pieces: AsyncGenerator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(bytes: AsyncGenerator<Buffer>) {
    this.#pieces = bytes
  }

  async line(): Promise<string> {
    for (let from = 0; ; from = this.#rest.length) {
      if (this.#rest.length > MAX_LINE_BYTES) throw new BackupError('the file is not a backup')
      if (!(await this.#more())) throw new BackupError('the file is not a backup')
      const end = this.#rest.indexOf(NEWLINE, from)
      if (end < 0) continue
      const line = this.#rest.subarray(0, end).toString()
      this.#rest = this.#rest.subarray(end + 1)
      return line
    }
  }

  /** Returns at least one byte and at most `count` bytes. */
  async atMost(count: number): Promise<Buffer> {
    if (this.#rest.length === 0 && !(await this.#more()))
      throw new BackupError('the backup is truncated: its end is missing')
    const piece = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  async isAtEnd(): Promise<boolean> {
    return this.#rest.length === 0 && !(await this.#more())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return(undefined)
  }

  /** @returns false at the end */
  async #more(): Promise<boolean> {
    const next = await this.#pieces.next()
    if (next.done === true) return false
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    return true
  }
}

const KIND = 'runbook-agent backup'
const FORMAT = 1

export const HISTORY_FILE = 'history.sqlite'
/** The key in this file encrypts requests that wait for approval. */
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

export type Manifest = v.InferOutput<typeof Shape>
export type Part = Manifest['parts'][number]

export function manifestOf(what: Omit<Manifest, 'kind' | 'format'>): Manifest {
  return { kind: KIND, format: FORMAT, ...what }
}

function manifestLine(manifest: Manifest): string {
  return `${JSON.stringify(manifest)}\n`
}

/** @throws BackupError for a damaged manifest, HistoryError if the history is newer than this program */
function readManifest(line: string): Manifest {
  const written = parse(line)
  if (written?.kind !== KIND) throw new BackupError('the file is not a backup')
  if (typeof written.format === 'number' && written.format > FORMAT)
    throw new BackupError(`the backup was made by a newer version of this program (format ${written.format})`)
  if (typeof written.schema === 'number') checkSchemaVersion(written.schema, NEWEST_VERSION)
  const parsed = v.safeParse(Shape, written)
  if (!parsed.success) throw new BackupError('the backup was altered: its first line was changed')
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

export class PartSums {
  readonly #hashes = new Map<Part['name'], Hash>()

  add({ name }: Part, bytes: Buffer): void {
    const hash = this.#hashes.get(name) ?? createHash('sha256')
    this.#hashes.set(name, hash.update(bytes))
  }

  /** @throws BackupError */
  check({ parts }: Manifest): void {
    const empty = createHash('sha256')
    const altered = parts.find(
      ({ name, sha256 }) => (this.#hashes.get(name) ?? empty).copy().digest('hex') !== sha256,
    )
    if (altered !== undefined) throw new BackupError(`the backup was altered: ${altered.name} was changed`)
  }
}

/** The message is the rest of a sentence about the backup. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}
