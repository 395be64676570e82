/** One line of a scrape. */
interface MetricSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly MetricSample[]
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
const SPECIAL: Readonly<Record<string, number>> = { '+Inf': Infinity, '-Inf': -Infinity, NaN: NaN, Nan: NaN }

/**
 * Parses OpenMetrics 1.0 text as strictly as its specification says, as far as it is used here: every sample belongs to
 * the family above it and has a suffix of its type, nothing twice, bounds as floats, `# EOF` and nothing behind it.
 * @throws Error with the line
 */
export function parseOpenMetrics(text: string): MetricFamily[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('does not end with # EOF')
  const families: (MetricFamily & { samples: MetricSample[] })[] = []
  const names = new Set<string>()
  const identities = new Set<string>()
  const lines = text.slice(0, -'# EOF\n'.length).trimEnd().split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const [, name, help] = /^# HELP ([a-z_:][\w:]*) (.*)$/i.exec(line) ?? []
    if (name !== undefined && help !== undefined) {
      const [, , type] = new RegExp(`^# TYPE (${name}) (\\w+)$`).exec(lines[++index] ?? '') ?? []
      if (type === undefined || SUFFIXES[type] === undefined) throw new Error(`no type behind: ${line}`)
      if (names.has(name)) throw new Error(`a family twice: ${line}`)
      names.add(name)
      if (/(?<!\\)(\\\\)*"/.test(help)) throw new Error(`a quote in: ${line}`)
      families.push({ name, type, help, samples: [] })
      continue
    }
    const family = families.at(-1)
    if (family === undefined) throw new Error(`no family above: ${line}`)
    const sample = parseSample(line)
    const suffix = sample.name.startsWith(family.name) ? sample.name.slice(family.name.length) : undefined
    if (suffix === undefined || SUFFIXES[family.type]?.includes(suffix) !== true) {
      throw new Error(`not of the ${family.type} ${family.name}: ${line}`)
    }
    const identity = line.slice(0, line.lastIndexOf(' '))
    if (identities.has(identity)) throw new Error(`a sample twice: ${line}`)
    identities.add(identity)
    if (family.type === 'counter' && !(sample.value >= 0)) throw new Error(`a counter below 0: ${line}`)
    const bound = sample.labels['le']
    if (bound !== undefined && bound !== '+Inf' && !bound.includes('.'))
      throw new Error(`not a float: ${line}`)
    family.samples.push(sample)
  }
  return families
}

function parseSample(line: string): MetricSample {
  const [, name, inside, number] = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
  if (name === undefined || number === undefined) throw new Error(`no sample: ${line}`)
  if (!NUMBER.test(number) && SPECIAL[number] === undefined) throw new Error(`no number: ${line}`)
  return { name, labels: parseLabels(inside ?? '', line), value: SPECIAL[number] ?? Number(number) }
}

function parseLabels(inside: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = inside
  while (rest !== '') {
    const [all, name, value] = /^([a-z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/i.exec(rest) ?? []
    if (all === undefined || name === undefined || value === undefined || name in labels) {
      throw new Error(`no labels: ${line}`)
    }
    labels[name] = value.replaceAll(/\\(.)/g, (_, character: string) =>
      character === 'n' ? '\n' : character,
    )
    rest = rest.slice(all.length)
  }
  return labels
}
