import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const PORT = 5432
/** The answer of this machine takes less than a millisecond; a filtered port must not hold up the start. */
const MAX_WAIT_MS = 300
/** The request of a client for TLS, which a PostgreSQL server answers by S or N before it asks who connects. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/**
 * Tells whether a PostgreSQL server answers on this machine. Signs in nowhere, so the server reads and changes
 * no database.
 */
export async function findsPostgres(port = PORT): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  const answered = new Promise<boolean>((resolve) => {
    socket.once('connect', () => socket.write(SSL_REQUEST))
    socket.once('data', (bytes) => resolve(bytes[0] === 0x53 || bytes[0] === 0x4e))
    socket.on('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
  const over = new AbortController()
  const late = delay(MAX_WAIT_MS, false, { signal: over.signal }).catch(() => false)
  try {
    return await Promise.race([answered, late])
  } finally {
    over.abort()
    socket.destroy()
  }
}
