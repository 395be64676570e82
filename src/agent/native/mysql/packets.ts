import { NativeError } from '../native-error.ts'
export const HEADER_BYTES = 4
/** The next packet continues a packet of this length. */
export const MAX_PACKET_BYTES = 0xff_ff_ff
const LOCAL_INFILE = 0xfb

export const COM = {
  quit: 0x01, // COM_QUIT
  initDb: 0x02, // COM_INIT_DB
  query: 0x03, // COM_QUERY
  fieldList: 0x04, // COM_FIELD_LIST
  statistics: 0x09, // COM_STATISTICS
  ping: 0x0e, // COM_PING
  changeUser: 0x11, // COM_CHANGE_USER
  binlogDump: 0x12, // COM_BINLOG_DUMP
  registerReplica: 0x15, // COM_REGISTER_SLAVE
  prepare: 0x16, // COM_STMT_PREPARE
  execute: 0x17, // COM_STMT_EXECUTE
  sendLongData: 0x18, // COM_STMT_SEND_LONG_DATA
  closeStatement: 0x19, // COM_STMT_CLOSE
  resetStatement: 0x1a, // COM_STMT_RESET
  setOption: 0x1b, // COM_SET_OPTION
  fetch: 0x1c, // COM_STMT_FETCH
  binlogDumpGtid: 0x1e, // COM_BINLOG_DUMP_GTID
  resetConnection: 0x1f, // COM_RESET_CONNECTION
  clone: 0x20, // COM_CLONE
  /** COM_MULTI of MariaDB 10.2: several commands in one packet. */
  multi: 0xfe,
} as const
const UNANSWERED: ReadonlySet<number> = new Set([COM.quit, COM.sendLongData, COM.closeStatement])
/**
 * Commands that could change the user, make the client a replica, or hide commands in one packet. `#refuse`
 * of mysql.ts answers them with an error.
 */
const REFUSED: ReadonlySet<number> = new Set([
  ...[COM.changeUser, COM.binlogDump, COM.registerReplica, COM.binlogDumpGtid, COM.clone, COM.multi],
])

/** Bytes for the server, or the packet number of a refused command. */
type CommandPart =
  | { readonly bytes: Buffer; readonly asks: boolean; readonly refused?: undefined }
  | { readonly refused: number }

/**
 * Cuts a client's bytes at its commands. After the login, a command has the number 0. A packet with another
 * number is refused: it would be the answer to a server's request for a file. Besides, the gateway
 * distinguishes commands from the login by their number.
 */
export class Commands {
  hasQuit = false
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of the packet that are still to come. */
  #left = 0
  #goesOn = false
  #isRefused = false

  /** @throws NativeError; the caller must then drop all bytes */
  cut(bytes: Buffer): readonly CommandPart[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const parts: CommandPart[] = []
    /** The bytes from `start` on are not yet in `parts`. */
    let [start, at, asks] = [0, 0, false]
    const passTo = (end: number) => {
      if (!this.#isRefused && end > start) parts.push({ bytes: all.subarray(start, end), asks })
      ;[start, asks] = [end, false]
    }
    while (!this.hasQuit) {
      const step = Math.min(this.#left, all.length - at)
      this.#left -= step
      at += step
      const length = all.length - at < HEADER_BYTES ? undefined : all.readUIntLE(at, 3)
      if (length === undefined || (length > 0 && all.length - at === HEADER_BYTES)) break
      if (!this.#goesOn) {
        if (all[at + 3] !== 0)
          throw new NativeError(
            'protocol',
            `a command of the client has the sequence number ${all[at + 3]} instead of 0`,
          )
        const command = length === 0 ? undefined : all[at + HEADER_BYTES]
        const isRefused = command !== undefined && REFUSED.has(command)
        if (isRefused !== this.#isRefused) passTo(at)
        this.#isRefused = isRefused
        if (isRefused) parts.push({ refused: all[at + 3] ?? 0 })
        else asks ||= command === undefined || !UNANSWERED.has(command)
        this.hasQuit = command === COM.quit
      }
      this.#goesOn = length === MAX_PACKET_BYTES
      this.#left = length
      at += this.hasQuit ? HEADER_BYTES + 1 : HEADER_BYTES
    }
    passTo(at)
    this.#rest = all.subarray(at)
    return parts
  }
}

/**
 * Finds a server's request for a file of its client. Clients answer such a request even if the login excluded
 * files. If the login excluded files, only a dishonest server sends a request.
 */
export class Answers {
  /** Bytes of the packet that are still to come. */
  #left = 0
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  /** The number of the previous packet; undefined after a command. */
  #lastSeq: number | undefined
  #isFirst = false
  #isLastFile = false
  /** Whether no content of the current packet has arrived. */
  #isBegun = false

  /**
   * Whether a client could read the last packet as a request for a file. The client's answer would look like
   * a command: the request has the number 255, so the answer has the number 0.
   */
  get awaitsFile(): boolean {
    return this.#isLastFile
  }

  begin(): void {
    this.#lastSeq = undefined
  }

  /** Returns the offset of a file request. The offset is negative if the packet began in earlier bytes. */
  findFileRequest(bytes: Buffer): number | undefined {
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        if (this.#isFirst && bytes[at] === LOCAL_INFILE) return at - HEADER_BYTES
        this.#isFirst = false
        if (this.#isBegun) this.#isLastFile = this.#lastSeq === 0xff && bytes[at] === LOCAL_INFILE
        this.#isBegun = false
        const step = Math.min(this.#left, bytes.length - at)
        this.#left -= step
        at += step
        continue
      }
      this.#header[this.#headerBytes] = bytes[at] ?? 0
      this.#headerBytes += 1
      at += 1
      if (this.#headerBytes === HEADER_BYTES) this.#beginPacket()
    }
    return undefined
  }

  #beginPacket(): void {
    this.#headerBytes = 0
    this.#left = this.#header.readUIntLE(0, 3)
    const seq = this.#header[3]
    // After 255, numbers begin again with 0. So a packet 1 that follows a packet 0 is not the first of an
    // answer.
    this.#isFirst = seq === 1 && this.#lastSeq !== 0
    this.#lastSeq = seq
    this.#isBegun = true
    this.#isLastFile = false
  }
}
