import type { ServerResponse } from 'node:http'

const PROMISED = 500_000_000

/** Sends 500 MB of blanks as an answer, as far as they are read. @returns how many bytes were given away so far */
export function flood(response: ServerResponse, status: number, headers = {}): () => number {
  response.writeHead(status, { 'Content-Length': PROMISED, ...headers })
  const piece = Buffer.alloc(64 * 1024, ' ')
  let written = 0
  const more = () => {
    while (written < PROMISED && !response.destroyed) {
      written += piece.length
      if (!response.write(piece)) return void response.once('drain', more)
    }
  }
  more()
  return () => written
}
