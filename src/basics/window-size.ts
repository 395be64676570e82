/** Of a terminal, in characters; a packet has 16 bits for each. */
export interface WindowSize {
  readonly cols: number
  readonly rows: number
}
