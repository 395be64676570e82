/**
 * One life of a gateway's state: it begins when the first agent connects after a start of the gateway. Copies
 * of a state share its id and the epochs before the copy, and have different epochs after it.
 */
export interface Epoch {
  /** Id of the state, which its copies have, too. */
  readonly state: string
  /** Time in ms since 1970 at which somebody last made this state the valid copy; 0 for never. */
  readonly takenOverAt: number
  readonly id: string
}

/** Metadata of `Connect`: the newest epoch of each state that the agent has met. Hoop's gateway does not read it. */
export const MET_EPOCHS = 'runbook-agent-epochs'
/** Maximum number of states that an agent remembers. Their epochs take about 800 bytes of the metadata. */
export const MAX_MET_STATES = 16

const FORM = /^([0-9a-f]{16})\.(\d{1,15})\.([0-9a-f]{16})$/

export function encodeEpoch({ state, takenOverAt, id }: Epoch): string {
  return `${state}.${takenOverAt}.${id}`
}

/** Returns undefined for a text of another form. */
export function decodeEpoch(text: string): Epoch | undefined {
  const [, state, takenOverAt, id] = FORM.exec(text) ?? []
  if (state === undefined || id === undefined) return undefined
  return { state, takenOverAt: Number(takenOverAt), id }
}

export function encodeEpochs(epochs: readonly Epoch[]): string {
  return epochs.map(encodeEpoch).join(',')
}

/** Skips epochs of another form, which a newer agent may send. */
export function decodeEpochs(text: string): Epoch[] {
  return text
    .split(',', MAX_MET_STATES)
    .map(decodeEpoch)
    .filter((epoch) => epoch !== undefined)
}
