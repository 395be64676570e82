import { joined } from '../../../basics/joined.ts'
import type { NativeClient } from '../protocol.ts'
import { NativeError } from '../native-error.ts'
import type { OutgoingMessages } from './outgoing.ts'
import type { ConnectionRules, Refusal } from './session-rules.ts'

interface Cutter<Cut> extends Disposable {
  readonly cut: (bytes: Buffer) => Iterable<Cut>
}

export abstract class JudgedStream<Cut> implements Disposable {
  protected abstract readonly cutter: Cutter<Cut>

  /** Returns the bytes for the server. */
  protected abstract judged(cut: Cut): Promise<Buffer>

  [Symbol.dispose](): void {
    this.cutter[Symbol.dispose]()
  }

  /** Returns the bytes for the server. @throws NativeError, or the reason of the rules' signal */
  async judge(bytes: Buffer): Promise<Buffer> {
    const passed: Buffer[] = []
    for (const cut of this.cutter.cut(bytes)) passed.push(await this.judged(cut))
    return joined(passed)
  }
}

export abstract class MaskedStream<Cut> implements Disposable {
  protected abstract readonly cutter: Cutter<Cut>
  protected readonly client: NativeClient
  protected readonly rules: ConnectionRules
  protected readonly outgoing: OutgoingMessages
  #isStopped = false

  protected constructor(client: NativeClient, rules: ConnectionRules, outgoing: OutgoingMessages) {
    this.client = client
    this.rules = rules
    this.outgoing = outgoing
  }

  protected abstract passOne(cut: Cut): Promise<void>

  /** @param isLast whether the connection ends after the refusal */
  protected abstract refuse(refusal: Refusal, isLast: boolean): Promise<void>

  [Symbol.dispose](): void {
    this.cutter[Symbol.dispose]()
  }

  /** @throws NativeError */
  async pass(bytes: Buffer): Promise<void> {
    if (this.#isStopped) return
    try {
      for (const cut of this.cutter.cut(bytes)) await this.passOne(cut)
      await this.send(await this.outgoing.take())
    } catch (error) {
      if (error instanceof NativeError) throw error
      await this.#stop(error)
    }
  }

  protected async send(bytes: Buffer): Promise<void> {
    if (bytes.length > 0) await this.client.send(bytes)
  }

  async #stop(error: unknown): Promise<never> {
    const refusal = this.rules.stopped(error)
    this.#isStopped = true
    await this.refuse(refusal, true).catch((failure: unknown) => this.rules.stopped(failure))
    throw new NativeError('stopped', refusal.message)
  }
}
