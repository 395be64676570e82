import type { Logger } from '../../basics/logger.ts'
import type { CompiledCache } from '../../policy/compiled-cache.ts'
import { Masking } from '../../policy/masking/masking.ts'
import { decodeMasking, type MaskingRules } from '../../policy/masking/rules.ts'
import type { OutputFilter } from '../../policy/output-filter.ts'
import { PolicyError } from '../../policy/policy-error.ts'
import { RefusedError } from '../refused.ts'
import { LocalStream } from './local-stream.ts'
import { type AskedMasking, MaskingResult } from './masking-result.ts'
import { Breaker, type PresidioServices, PresidioStream } from './presidio-stream.ts'
import { presidioService } from './presidio.ts'
import { LocalValues, PresidioValues, type ValueMasking } from './values.ts'

export interface MaskingSettings {
  /** These settings replace the gateway's addresses and mode. The gateway's provider still applies. */
  readonly presidio:
    | { readonly analyzer: string; readonly anonymizer: string; readonly mode: 'strict' | 'best-effort' }
    | undefined
  /** How the local engine replaces findings, and how it differs from hoop's engine. */
  readonly local: Pick<MaskingRules, 'replacement' | 'refine'>
  /** Rules that the local engine has compiled for earlier sessions with these settings. */
  readonly compiled: CompiledCache<Masking>
}

export interface SessionMasking {
  readonly result: MaskingResult
  /** Makes the filter of one stream; undefined if the output passes unmasked. */
  readonly filter: MakeFilter | undefined
  /** Makes the masking of single values of a database; undefined without `filter`. */
  readonly values: MakeValues | undefined
}

/**
 * @param ended aborted when nobody waits for the output: then the filter does not wait for Presidio any more
 */
type MakeFilter = (ended: AbortSignal) => OutputFilter
type MakeValues = (ended: AbortSignal) => ValueMasking

interface Ways {
  readonly filter: MakeFilter
  readonly values: MakeValues
}

interface Plan {
  readonly by: string
  readonly types: readonly string[]
  readonly waysFor: (result: MaskingResult) => Ways
  readonly unmasked: string | undefined
}

interface Told {
  readonly log: Logger
  /** Identifies the session in the log. */
  readonly session: object
}

/**
 * Returns how the output of a session is masked. Masking sees only bytes: it does not know which program
 * writes them, or which bytes are the name of a column. For native clients, names of columns are masked, too,
 * because a query can make a value the name of a column.
 * @returns undefined if the session needs no masking
 * @throws RefusedError in strict mode, if a part of the output cannot be masked
 */
export async function loadMasking(
  asked: AskedMasking,
  settings: MaskingSettings,
  told: Told,
): Promise<SessionMasking | undefined> {
  const given = settings.presidio?.mode ?? asked.dlpMode
  const mode = given === 'strict' ? given : 'best-effort'
  try {
    const plan = await makePlan(asked, settings)
    if (plan === undefined) return undefined
    const { by, types, unmasked } = plan
    if (unmasked !== undefined && mode === 'strict') throw new PolicyError(unmasked)
    told.log.info({ ...told.session, by, types, mode }, 'the output is masked')
    return masked(plan, mode, told)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    if (mode === 'strict')
      throw new RefusedError(
        `the output must be masked (strict mode), but masking is not possible: ${error.message}. Nothing was run`,
      )
    return passed(error.message, told)
  }
}

function masked({ waysFor, unmasked }: Plan, mode: 'strict' | 'best-effort', told: Told): SessionMasking {
  if (unmasked !== undefined) complain(told, unmasked)
  const result = new MaskingResult(mode === 'strict', (error) => complain(told, error), unmasked)
  return { result, ...waysFor(result) }
}

/** Returns the result of best-effort mode if no engine can mask. */
function passed(reason: string, told: Told): SessionMasking {
  complain(told, reason)
  return { result: new MaskingResult(false, () => undefined, reason), filter: undefined, values: undefined }
}

function complain({ log, session }: Told, reason: string): void {
  log.warn({ ...session, reason }, 'output passes unmasked (allowed by mode best-effort)')
}

async function makePlan(asked: AskedMasking, settings: MaskingSettings): Promise<Plan | undefined> {
  const provider = asked.dlpProvider
  if (provider !== 'mspresidio' && provider !== 'alcatraz') throw new PolicyError(unknownProvider(provider))
  const rules = decodeMasking(asked.dataMaskingEntityTypesData)
  if (rules === undefined) return undefined
  if (asked.clientVerb === 'connect')
    throw new PolicyError('a terminal cannot be masked, because its screen is not plain text. Use exec')
  return provider === 'mspresidio'
    ? byPresidio(rules, asked, settings)
    : await byLocal(rules, asked, settings)
}

function unknownProvider(provider: string): string {
  if (provider === 'gcp')
    return 'this agent does not support the provider "gcp" (Google Cloud DLP); it supports mspresidio and alcatraz'
  return `this agent does not support the provider ${JSON.stringify(provider)}; it supports mspresidio and alcatraz`
}

function byPresidio(rules: MaskingRules, asked: AskedMasking, { presidio }: MaskingSettings): Plan {
  const services = servicesAt(
    presidio?.analyzer ?? asked.dlpPresidioAnalyzerUrl,
    presidio?.anonymizer ?? asked.dlpPresidioAnonymizerUrl,
  )
  const { entities = [], custom, threshold = 0 } = rules
  const request = { entities, custom, threshold }
  return {
    by: `Presidio at ${services.analyzer.url.origin}`,
    types: typesOf(rules),
    waysFor: (result) => {
      const breaker = new Breaker()
      const session = (ended: AbortSignal) => ({ services, request, result, breaker, ended })
      return {
        filter: (ended) => new PresidioStream(session(ended)),
        values: (ended) => new PresidioValues(session(ended)),
      }
    },
    unmasked: undefined,
  }
}

function servicesAt(analyzerUrl: string, anonymizerUrl: string): PresidioServices {
  const analyzer = presidioService('analyzer', analyzerUrl)
  const anonymizer = presidioService('anonymizer', anonymizerUrl)
  if (analyzer === undefined)
    throw new PolicyError("the address of Presidio's analyzer must begin with http:// or https://")
  if (anonymizer === undefined && anonymizerUrl !== '')
    throw new PolicyError("the address of Presidio's anonymizer must begin with http:// or https://")
  return { analyzer, anonymizer }
}

async function byLocal(
  rules: MaskingRules,
  { dataMaskingEntityTypesData: payload }: AskedMasking,
  { local, compiled }: MaskingSettings,
): Promise<Plan> {
  const compile = () => Masking.compiled({ ...rules, ...local })
  const masking = await (payload === undefined ? compile() : compiled.get(payload, compile))
  return {
    by: 'the local engine',
    types: typesOf(rules),
    waysFor: (result) => {
      const givenUp = { count: 0 }
      return {
        filter: () => new LocalStream(masking, result, givenUp),
        values: () => new LocalValues(masking, result, givenUp),
      }
    },
    unmasked: unservedText(masking),
  }
}

function typesOf({ entities = [], custom }: MaskingRules): string[] {
  return [...entities, ...custom.map(({ name }) => name)]
}

function unservedText({ unserved: { needModel, unknown } }: Masking): string | undefined {
  const texts = [
    needModel.length > 0 && `${needModel.join(', ')}: only a language model finds these; use Presidio`,
    unknown.length > 0 && `${unknown.join(', ')}: not a type of the local engine`,
  ].filter((text) => text !== false)
  return texts.length === 0 ? undefined : texts.join('; ')
}
