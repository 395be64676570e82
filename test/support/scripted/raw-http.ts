import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** Sends bytes as they are and reads until the server closes, which it does by `Connection: close` or a fault. */
export async function rawAnswers(url: string, ...pieces: readonly (string | Buffer)[]): Promise<RawAnswer[]> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  // What is sent on to a server that has closed already is no fault of this test.
  socket.on('error', () => undefined)
  const received: Buffer[] = []
  socket.on('data', (data: Buffer) => received.push(data))
  const closed = closeOf(socket)
  for (const piece of pieces) socket.write(piece)
  await closed
  return [...answersIn(Buffer.concat(received).toString('latin1'))]
}

async function closeOf(socket: Socket): Promise<void> {
  socket.once('end', () => socket.end())
  await once(socket, 'close')
}

function* answersIn(text: string): Generator<RawAnswer> {
  let rest = text
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = new Map(lines.map((line) => parted(line)))
    const length = Number(headers.get('content-length') ?? 0)
    const body = rest.slice(end + 4, end + 4 + length)
    yield { status: Number(first.split(' ')[1]), headers, body }
    rest = rest.slice(end + 4 + length)
  }
}

function parted(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
