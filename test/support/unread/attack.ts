import { readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { Program } from '../sites/program.ts'

/** Requests that a client sends in one write, on each of its connections, and whose answers it never reads. */
export interface Attack {
  /** `host:port` */
  readonly address: string
  readonly url: string
  readonly tokens: readonly string[]
  readonly connections: number
  /** Requests of one connection. A gateway ends a connection that has more than 17. */
  readonly pipelined: number
}

/** Opens the connections of each token. They stay open until they are destroyed. */
export async function attack({ address, url, tokens, connections, pipelined }: Attack): Promise<Socket[]> {
  const [host = '', port = ''] = address.split(':')
  const opened = tokens.flatMap((token) =>
    Array.from({ length: connections }, async () => {
      const socket = connect({ host, port: Number(port) }).pause()
      socket.on('error', () => undefined)
      const request = `GET ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`
      await new Promise<void>((resolve) => socket.write(request.repeat(pipelined), () => resolve()))
      return socket
    }),
  )
  return Promise.all(opened)
}

/** Returns the milliseconds until `/api/healthz` is answered. @throws TypeError if it is not */
export async function healthWait(address: string): Promise<number> {
  const begun = performance.now()
  const answer = await fetch(`http://${address}/api/healthz`, { headers: { connection: 'close' } })
  await answer.text()
  if (answer.status !== 200) throw new TypeError(`healthz: ${answer.status}`)
  return performance.now() - begun
}

/** The memory of a process in MiB, on Linux. */
export class Memory {
  readonly #pid: number

  constructor({ pid }: Pick<Program, 'pid'>) {
    this.#pid = pid
  }

  /** Sets the peak to the present memory. @returns the present memory */
  restart(): number {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, '5')
    return this.#read('VmRSS')
  }

  get peak(): number {
    return this.#read('VmHWM')
  }

  #read(field: string): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8')
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024
  }
}
