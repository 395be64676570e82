import type { GobType } from './types.ts'

/** How many are kept. A gateway sends six; then come those of clients, who may send what they like. */
const MOST = 64
/** The longest that is kept, in bytes. The gateway's parameters take 470. */
const LONGEST = 4096

interface KnownDefinition {
  readonly type: GobType
  /** How many values it is made of. */
  readonly values: number
}

/** Type definitions by the bytes that they were read from. */
export class KnownDefinitions {
  readonly #known = new Map<string, KnownDefinition>()

  get(message: Buffer): KnownDefinition | undefined {
    return message.length > LONGEST ? undefined : this.#known.get(message.toString('latin1'))
  }

  add(message: Buffer, definition: KnownDefinition): void {
    if (message.length > LONGEST) return
    if (this.#known.size === MOST) this.#known.clear()
    this.#known.set(message.toString('latin1'), definition)
  }
}
