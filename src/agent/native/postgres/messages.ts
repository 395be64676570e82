import { MessageHeads } from '../../../wire/messages/message-heads.ts'
import { NativeError } from '../native-error.ts'
import type { NativeClient } from '../protocol.ts'

/**
 * Length of a message's head in bytes. The type has one byte, and the length has four bytes. The length
 * counts its own four bytes, too.
 */
export const HEAD_BYTES = 5
const LENGTH_BYTES = 4

export const type = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  error: 0x45, // E
  negotiateVersion: 0x76, // v
  notice: 0x4e, // N
  password: 0x70, // p
  readyForQuery: 0x5a, // Z
  terminate: 0x58, // X
} as const

/** @param begins called with each message's type @throws NativeError from `push` */
export function messageTypes(begins: (type: number) => void): MessageHeads {
  return new MessageHeads(HEAD_BYTES, (head) => {
    const bytes = contentBytes(head.readUInt32BE(1))
    begins(head[0] ?? 0)
    return bytes
  })
}

export function contentBytes(length: number): number {
  if (length < LENGTH_BYTES || length > 0x7fffffff)
    throw new NativeError('protocol', 'a message has an invalid length')
  return length - LENGTH_BYTES
}

export interface Message {
  readonly type: number
  /** The bytes after the length. */
  readonly content: Buffer
  /** The whole message. */
  readonly bytes: Buffer
}

/** Returns undefined if the first message is not whole. @throws NativeError */
export function firstMessage(bytes: Buffer, most: number): Message | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const length = 1 + LENGTH_BYTES + contentBytes(bytes.readUInt32BE(1))
  if (length > most) throw new NativeError('protocol', `a message has more than ${most} bytes`)
  if (bytes.length < length) return undefined
  return {
    type: bytes[0] ?? 0,
    content: bytes.subarray(HEAD_BYTES, length),
    bytes: bytes.subarray(0, length),
  }
}

export function messageOf(messageType: number, ...content: readonly Buffer[]): Buffer {
  const all = Buffer.concat([Buffer.alloc(HEAD_BYTES), ...content])
  all[0] = messageType
  all.writeUInt32BE(all.length - 1, 1)
  return all
}

/**
 * Sends the bytes so that hoop's command line does not take them for BackendKeyData. The command line makes
 * this mistake for each packet of two or more bytes that begins with a K.
 */
export function sendNoKey(client: Pick<NativeClient, 'send'>, bytes: Buffer): Promise<void> | undefined {
  const isMistaken = bytes[0] === type.backendKeyData && bytes.length > 1
  return isMistaken ? sendInTwo(client, bytes) : client.send(bytes)
}

async function sendInTwo(client: Pick<NativeClient, 'send'>, bytes: Buffer): Promise<void> {
  await client.send(bytes.subarray(0, 1))
  await client.send(bytes.subarray(1))
}

/** Appends the zero byte that ends a text. */
export function encodeCString(message: string): Buffer {
  return Buffer.from(`${message.replaceAll('\0', '')}\0`)
}

/** Builds an ErrorResponse. @param code the SQLSTATE */
export function errorOf(severity: 'ERROR' | 'FATAL', code: string, message: string): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${message}`].map(encodeCString)
  return messageOf(type.error, ...fields, Buffer.of(0))
}
