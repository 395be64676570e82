import { createSocket, type Socket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'

interface Target {
  readonly priority: number
  readonly host: string
  readonly port: number
}

const HEADER_BYTES = 12
const SRV = 33

/**
 * A name server for SRV records; other names do not exist. This process asks it until it is disposed of; `lookup`, which
 * connections use, does not.
 */
export class NameServer implements AsyncDisposable {
  readonly #socket: Socket
  readonly #before = dns.getServers()

  static async start(services: Readonly<Record<string, readonly Target[]>>): Promise<NameServer> {
    const socket = createSocket('udp4').on('message', (question, { address, port }) =>
      socket.send(answerTo(question, services), port, address),
    )
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new NameServer(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    dns.setServers([`127.0.0.1:${socket.address().port}`])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    dns.setServers(this.#before)
    await new Promise<void>((resolve) => this.#socket.close(resolve))
  }
}

function answerTo(question: Buffer, services: Readonly<Record<string, readonly Target[]>>): Buffer {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(String(question.subarray(at + 1, at + 1 + length)))
    at += 1 + length
  }
  const targets = services[labels.join('.')]
  // Without what comes behind the question (EDNS).
  const answer = Buffer.from(question.subarray(0, at + 5))
  answer.writeUInt16BE(targets === undefined ? 0x8183 : 0x8180, 2)
  answer.writeUInt16BE(targets?.length ?? 0, 6)
  answer.writeUInt32BE(0, 8)
  return Buffer.concat([answer, ...(targets ?? []).map(record)])
}

function record({ priority, host, port }: Target): Buffer {
  const name = Buffer.concat([
    ...host.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]),
    Buffer.of(0),
  ])
  const head = Buffer.alloc(18)
  // The name is that of the question.
  head.writeUInt16BE(0xc000 + HEADER_BYTES, 0)
  head.writeUInt16BE(SRV, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(6 + name.length, 10)
  head.writeUInt16BE(priority, 12)
  head.writeUInt16BE(port, 16)
  return Buffer.concat([head, name])
}
