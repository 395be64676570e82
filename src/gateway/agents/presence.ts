/** What an agent said when it connected, and its address. */
export interface Arrival {
  /** Facts about its program and machine, under the names of hoop's headers. */
  readonly facts: Readonly<Record<string, string>>
  readonly address: string
  /**
   * Largest number of sessions that the agent runs at the same time; undefined where the agent does not say
   * so, as hoop's agents.
   */
  readonly sessionLimit: number | undefined
}

/**
 * Why an agent takes no new sessions. `drained`: it was told to stop. `retired`: its key is not in the
 * settings.
 */
export type Departure = 'drained' | 'retired' | 'disconnected' | 'ended'

export const DEPARTURE_WORDS: Readonly<Record<Departure, string>> = {
  drained: 'it is draining: it finishes its sessions and takes no new ones',
  retired: 'its key is no longer in gateway.yaml',
  disconnected: 'its connection was lost',
  ended: 'it ended its stream without saying that it leaves',
}

/** What `drained` means after the stream has ended. */
export const STOPPED_WORDS = 'it was told to stop, and has stopped'

/** The newest stream of an agent since this gateway started. */
export interface Presence {
  readonly arrival: Arrival
  readonly since: Date
  /** Undefined while the agent takes new sessions. */
  readonly left?: { readonly at: Date; readonly why: Departure }
}
