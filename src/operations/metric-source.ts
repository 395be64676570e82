interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric that is read at each scrape from what is known then. */
export interface Definition<Now> {
  /** Follows the prefix; a counter's name ends in `_total`. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  /** Empty when there is nothing to report yet. */
  readonly read: (now: Now) => readonly Sample[]
}

export type Family = Omit<Definition<unknown>, 'read'> & { readonly read: () => readonly Sample[] }

/** How long things take, counted as they end. */
export interface Distribution {
  readonly name: string
  readonly help: string
  /** Upper bounds in seconds. None is whole: prom-client writes `1` where OpenMetrics wants `1.0`. */
  readonly buckets: readonly number[]
  /** Tells of each one from now on. */
  readonly follow: (told: (seconds: number) => void) => void
}

/** What one program has to tell. */
export interface MetricSource {
  /** The beginning of all names, `runbook_agent_`. */
  readonly prefix: string
  readonly families: readonly Family[]
  readonly distributions: readonly Distribution[]
}

export function familiesOf<Now>(definitions: readonly Definition<Now>[], now: () => Now): Family[] {
  return definitions.map((definition) => ({ ...definition, read: () => definition.read(now()) }))
}

type Read<Now> = (now: Now) => number | undefined

export function counter<Now>(name: string, help: string, read: Read<Now>): Definition<Now> {
  return { name: `${name}_total`, type: 'counter', help, labels: [], read: single(read) }
}

export function gauge<Now>(name: string, help: string, read: Read<Now>): Definition<Now> {
  return { name, type: 'gauge', help, labels: [], read: single(read) }
}

function single<Now>(read: Read<Now>): Definition<Now>['read'] {
  return (now) => {
    const value = read(now)
    return value === undefined ? [] : [{ labels: {}, value }]
  }
}

export function counters<Now>(
  name: string,
  help: string,
  label: string,
  read: (now: Now) => Readonly<Record<string, number>>,
): Definition<Now> {
  const samples = (now: Now) =>
    Object.entries(read(now)).map(([name, value]) => ({ labels: { [label]: name }, value }))
  return { name: `${name}_total`, type: 'counter', help, labels: [label], read: samples }
}
