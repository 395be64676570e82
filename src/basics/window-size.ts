/** The size in characters. A packet has 16 bits for each number. */
export interface WindowSize {
  readonly cols: number
  readonly rows: number
}
