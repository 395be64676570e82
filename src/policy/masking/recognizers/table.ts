import { isIPv6 } from 'node:net'
import { BRAZIL } from './brazil.ts'
import { BRITAIN_AND_AUSTRALIA, INDIA, SINGAPORE, UNITED_STATES } from './english.ts'
import { GENERAL, SECRETS } from './general.ts'
import { ITALY_AND_SPAIN, OTHER_COUNTRIES } from './other-countries.ts'
import { pattern, type Recognizer } from './recognizer.ts'

/**
 * All types for which hoop's engine has a pattern. If two findings are equal, the type that comes first in
 * this list counts.
 */
export const BUILT_IN: readonly Recognizer[] = [
  ...GENERAL,
  ...UNITED_STATES,
  ...BRITAIN_AND_AUSTRALIA,
  ...INDIA,
  ...ITALY_AND_SPAIN,
  ...SINGAPORE,
  ...BRAZIL,
  ...OTHER_COUNTRIES,
]

/** Types that hoop's engine does not have. They are searched for only when rules name them. */
export const EXTRA = SECRETS

/** Known names that only a language model could find. */
export const NEED_MODEL: readonly string[] = ['PERSON', 'LOCATION', 'NRP']

/** Names of the differences from hoop's engine. Rules turn a difference on by its name. */
export const REFINEMENTS = ['ipv6', 'ssn'] as const
export type Refinement = (typeof REFINEMENTS)[number]

/** `ipv6` also finds addresses with `::`; `ssn` needs a context word for nine digits without separators. */
export function refined(recognizer: Recognizer, by: readonly Refinement[]): readonly Recognizer[] {
  if (recognizer.type === 'IP_ADDRESS' && by.includes('ipv6')) return [recognizer, shortIpv6(recognizer)]
  if (recognizer.type === 'US_SSN' && by.includes('ssn')) return carefulSsn(recognizer)
  return [recognizer]
}

function shortIpv6(recognizer: Recognizer): Recognizer {
  return {
    ...recognizer,
    name: 'ShortIpv6Recognizer',
    patterns: [pattern(String.raw`(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:(?:\.\d{1,3}){3})?(?![\w:])`, 0.6)],
    accepts: (match) => match.includes('::') && match !== '::' && isIPv6(match),
  }
}

function carefulSsn({ check, ...recognizer }: Recognizer): readonly Recognizer[] {
  const [dashed, bare] = recognizer.patterns
  if (dashed === undefined || bare === undefined || check === undefined) return []
  return [
    { ...recognizer, check, patterns: [dashed] },
    { ...recognizer, name: 'BareUsSsnRecognizer', accepts: check, patterns: [bare], needsContext: true },
  ]
}
