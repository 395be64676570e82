import type { Rooms } from '../store/room.ts'
import { HistoryDatabase } from './database.ts'
import { Reserve } from './disk/reserve.ts'
import { historyError, NoRoomError, READ_ONLY } from '../store/errors.ts'

/** The history's file, opened as well as the disk allows. A disk without room is a state of it, not an error. */
export class HistoryFile {
  readonly #path: string
  readonly #rooms: Rooms
  readonly #maxBytes: number | undefined
  #open: HistoryDatabase | NoRoomError
  #isClosed = false

  /** @throws HistoryError, but never a NoRoomError */
  constructor(path: string, rooms: Rooms, maxBytes: number | undefined) {
    this.#path = path
    this.#rooms = rooms
    this.#maxBytes = maxBytes
    this.#open = openDatabase(path, rooms, maxBytes)
  }

  /** @throws NoRoomError while not even reading works */
  get database(): HistoryDatabase {
    if (this.#open instanceof NoRoomError) throw this.#open
    return this.#open
  }

  get isReadable(): boolean {
    return this.#open instanceof HistoryDatabase
  }

  get isWritable(): boolean {
    return this.#open instanceof HistoryDatabase && this.#open.access !== 'read-only'
  }

  /** Whether the file is open in a worse way than it should be. */
  get isMakeshift(): boolean {
    return this.#open instanceof NoRoomError || this.#open.access !== 'shared'
  }

  get obstacle(): string | undefined {
    if (this.#open instanceof NoRoomError) return this.#open.short
    return this.#open.access === 'read-only' ? READ_ONLY : undefined
  }

  /** Call it under the lock: before, another gateway may have unwritten ends in there. @throws HistoryError */
  openReserve(): Reserve {
    try {
      return new Reserve(`${this.#path}.ends`)
    } catch (error) {
      throw historyError(this.#path, 'open the reserve for the ends of sessions', error)
    }
  }

  withoutReserve(): NoRoomError {
    const text = 'there is no room for the ends of sessions; free some space'
    return new NoRoomError(`session history ${this.#path}: ${text}`, 'the disk is full')
  }

  reopen(): void {
    if (this.#isClosed) return
    if (this.#open instanceof HistoryDatabase) this.#open.close()
    this.#open = openDatabase(this.#path, this.#rooms, this.#maxBytes)
  }

  /** Never throws. */
  close(): void {
    this.#isClosed = true
    if (this.#open instanceof HistoryDatabase) this.#open.close()
  }
}

function openDatabase(
  path: string,
  rooms: Rooms,
  maxBytes: number | undefined,
): HistoryDatabase | NoRoomError {
  try {
    return new HistoryDatabase(path, rooms, maxBytes)
  } catch (error) {
    if (error instanceof NoRoomError) return error
    throw error
  }
}
