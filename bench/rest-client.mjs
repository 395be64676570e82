import { Buffer } from 'node:buffer'
import { Agent, request } from 'node:http'

/** Posts to one gateway over connections that stay open, as a busy client does. */
export class RestClient {
  #base
  #headers
  #connections

  /**
   * @param {string} base `http://host:port`
   * @param {string} token
   * @param {number} inFlight most requests at once
   */
  constructor(base, token, inFlight) {
    this.#base = base
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    this.#connections = new Agent({ keepAlive: true, maxSockets: inFlight })
  }

  /**
   * One execution; fails unless it ended well and put out exactly `expected`.
   * @param {string} path
   * @param {object} body
   * @param {string} expected
   */
  async execute(path, body, expected) {
    const { status, text } = await this.#post(path, JSON.stringify(body))
    const answer = status === 200 ? JSON.parse(text) : {}
    const right = answer.output_status === 'success' && answer.exit_code === 0 && !answer.truncated
    if (!right || answer.output !== expected) throw new Error(`${path} answered ${status} ${text}`)
  }

  close() {
    this.#connections.destroy()
  }

  #post(path, body) {
    const headers = { ...this.#headers, 'content-length': Buffer.byteLength(body) }
    const options = { method: 'POST', agent: this.#connections, headers }
    return new Promise((resolve, reject) => {
      const call = request(`${this.#base}${path}`, options, (response) => {
        const parts = []
        response.on('data', (part) => parts.push(part))
        response.once('error', reject)
        response.once('end', () =>
          resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() }),
        )
      })
      call.once('error', reject)
      call.end(body)
    })
  }
}
