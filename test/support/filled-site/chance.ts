import { Random } from '../../faults/random.ts'

export class Chance extends Random {
  /** A UUID of version 4. */
  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.between(0, 15).toString(16)).join('')
    const [a, b, c, d] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20)]
    return `${a}-${b}-4${c}-8${d}-${hex.slice(20)}`
  }
}
