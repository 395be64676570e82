import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type RegistryContentType,
} from 'prom-client'

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric whose value is read at each scrape. */
export interface Definition<Now> {
  /** The name after the prefix; a counter's name ends in `_total`. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  /** Returns no samples while the value is unknown. */
  readonly read: (now: Now) => readonly Sample[]
}

type Family = Omit<Definition<unknown>, 'read'> & { readonly read: () => readonly Sample[] }

/** A histogram of durations that have ended. */
interface Distribution {
  readonly name: string
  readonly help: string
  /** In seconds. None is a whole number, because prom-client writes `1` where OpenMetrics requires `1.0`. */
  readonly buckets: readonly number[]
  /** Calls `told` with each duration from now on. */
  readonly follow: (told: (seconds: number) => void) => void
}

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

/**
 * These limits replace prom-client's own limits, which contain whole numbers. prom-client writes a whole
 * number as `1`, but OpenMetrics requires `1.0`.
 */
const GC_SECONDS = [0.001, 0.01, 0.1, 0.5, 2.5]

/**
 * Metrics of prom-client to remove. Some are sums but have the name of a counter. The others are the lag of
 * the event loop: prom-client's histogram wakes the process 100 times a second, and counts its own pause as
 * lag. `event_loop_delay_max_seconds` replaces these.
 */
const UNWANTED = /^nodejs_(active_\w+_total|eventloop_lag_\w+_seconds)$/
/** Interval of prom-client's histogram of the lag. It cannot be switched off, so it is made very slow. */
const HARDLY_EVER_MS = 60 * 60 * 1000

interface Scrape {
  readonly contentType: string
  readonly text: string
}

interface Sources {
  readonly source: MetricSource
  /** The longest block of the event loop in the last minute. */
  readonly loopDelayMs: () => number
}

/** Metrics of a program and of its process, read at each request. */
export class Metrics {
  readonly #sources: Sources
  /** The histograms count from the start of the program, and are in each registry. */
  readonly #distributions: readonly Histogram[]
  /**
   * One registry for each format, because one registry cannot serve two formats. When prom-client writes
   * OpenMetrics, it removes `_total` from the names of the registry's counters and never adds it again. And
   * prom-client reads the registry's format twice, with an `await` between: another request could change it.
   */
  readonly #registries = new Map<RegistryContentType, Registry<RegistryContentType>>()

  constructor(sources: Sources) {
    this.#sources = sources
    const { prefix, distributions } = sources.source
    this.#distributions = distributions.map((one) => histogramOf(prefix, one))
  }

  /** `accept` is the header of an HTTP request. */
  async scrape(accept: string | undefined): Promise<Scrape> {
    const contentType = wantsOpenMetrics(accept)
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE
    return { contentType, text: await this.#registry(contentType).metrics() }
  }

  /** Creates a registry when its format is first needed: usually one is used, and observers cost time. */
  #registry(contentType: RegistryContentType): Registry<RegistryContentType> {
    const known = this.#registries.get(contentType)
    if (known !== undefined) return known
    const registry = new Registry<RegistryContentType>()
    registry.setContentType(contentType)
    const { source, loopDelayMs } = this.#sources
    for (const family of source.families) register(registry, source.prefix, family)
    for (const histogram of this.#distributions) registry.registerMetric(histogram)
    registerLoopDelay(registry, source.prefix, loopDelayMs)
    registerProcess(registry)
    this.#registries.set(contentType, registry)
    return registry
  }
}

function histogramOf(prefix: string, { name, help, buckets, follow }: Distribution): Histogram {
  const histogram = new Histogram({ name: `${prefix}${name}`, help, buckets: [...buckets], registers: [] })
  follow((seconds) => histogram.observe(seconds))
  return histogram
}

/** Adds a metric. Its value is read at each scrape, so prom-client counts nothing itself. */
function register(
  registry: Registry<RegistryContentType>,
  prefix: string,
  { name, type, help, labels, read }: Family,
): void {
  const configuration = { name: `${prefix}${name}`, help, labelNames: [...labels], registers: [registry] }
  if (type === 'counter') {
    new Counter({
      ...configuration,
      collect() {
        this.reset()
        for (const { labels, value } of read()) this.inc(labels, value)
      },
    })
  } else {
    new Gauge({
      ...configuration,
      collect() {
        this.reset()
        // After a reset, a gauge without labels is 0. It is removed, because a time of 0 would be in 1970.
        if (labels.length === 0) this.remove()
        for (const { labels, value } of read()) this.set(labels, value)
      },
    })
  }
}

function registerProcess(registry: Registry<RegistryContentType>): void {
  collectDefaultMetrics({
    register: registry,
    gcDurationBuckets: GC_SECONDS,
    eventLoopMonitoringPrecision: HARDLY_EVER_MS,
  })
  for (const { name } of registry.getMetricsAsArray()) {
    if (UNWANTED.test(name)) registry.removeSingleMetric(name)
  }
}

function registerLoopDelay(
  registry: Registry<RegistryContentType>,
  prefix: string,
  loopDelayMs: () => number,
): void {
  new Gauge({
    name: `${prefix}event_loop_delay_max_seconds`,
    help: 'The longest block of the event loop in the last minute.',
    registers: [registry],
    collect() {
      this.set(loopDelayMs() / 1000)
    },
  })
}

/** Tests if the header prefers OpenMetrics to the classic text. Prometheus does, and browsers do not. */
export function wantsOpenMetrics(accept = ''): boolean {
  const open = quality(accept, 'application/openmetrics-text')
  return open > 0 && open >= quality(accept, 'text/plain')
}

/** Returns the highest q that the header gives to a type, or 0. */
function quality(accept: string, type: string): number {
  const qualities = accept
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
    .filter(([name]) => name === type)
    .map(([, ...parameters]) => Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1))
  return Math.max(0, ...qualities.filter((one) => !Number.isNaN(one)))
}
