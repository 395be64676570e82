import type { ByteString } from '../../text/byte-string.ts'

interface Slot<T> {
  readonly name: ByteString
  value: T
}

/**
 * The variables that can be seen, innermost last. Finding one does not depend on how many there are: a template
 * may declare a hundred thousand in one block and use them all.
 */
export class Variables<T> {
  readonly #slots: Slot<T>[] = []
  readonly #byName = new Map<ByteString, Slot<T>[]>()

  declare(name: ByteString, value: T): void {
    const slot = { name, value }
    this.#slots.push(slot)
    const same = this.#byName.get(name)
    if (same === undefined) this.#byName.set(name, [slot])
    else same.push(slot)
  }

  /** The innermost variable of a name, which may be assigned to. */
  find(name: ByteString): { value: T } | undefined {
    return this.#byName.get(name)?.at(-1)
  }

  /** The variable declared `distance` declarations ago, 1 being the last one. */
  recent(distance: number): { value: T } | undefined {
    return this.#slots.at(-distance)
  }

  /** A place to come back to with `release`. */
  mark(): number {
    return this.#slots.length
  }

  /** Forgets what was declared since the mark. */
  release(mark: number): void {
    while (this.#slots.length > mark) {
      const slot = this.#slots.pop()
      if (slot !== undefined) this.#byName.get(slot.name)?.pop()
    }
  }
}
