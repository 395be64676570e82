import { Masking, typeAdvice } from '../../policy/masking/masking.ts'
import { decodeMasking, EVERYTHING, type MaskingRules } from '../../policy/masking/rules.ts'
import type { Path, Problems } from '../../basics/settings/problems.ts'
import { PolicyError } from '../../policy/policy-error.ts'
import type { MaskingShape } from './masking-shape.ts'
import type { ConnectionShape, SettingsShape } from './schema.ts'
import type { MaskingParams } from './settings.ts'

/** Checks each rule, and checks that the rules of one connection can be used together. */
export function checkMasking(shape: SettingsShape, problems: Problems): void {
  const { masking, connections } = shape
  masking.forEach((rule, i) => checkRule(rule, ['masking', i], problems))
  connections.forEach((connection, i) => {
    const rules = rulesOf(connection, masking)
    if (new Set(rules.map(presidioKey)).size > 1)
      problems.add(
        ['connections', i, 'masking'],
        'all rules of a connection must have the same provider, mode, analyzer and anonymizer',
      )
  })
  checkMaskingSize(shape, problems)
  checkTogether(shape, problems)
}

function checkRule(rule: MaskingShape, path: Path, problems: Problems): void {
  const { provider, analyzer, anonymizer, entities, custom } = rule
  if (provider === 'presidio' && !analyzer)
    problems.add(path, 'masking by presidio needs analyzer, the address of its service')
  if (provider === 'local' && (analyzer || anonymizer))
    problems.add([...path, analyzer ? 'analyzer' : 'anonymizer'], 'only provider: presidio uses this address')
  if (entities.length === 0 && custom.length === 0)
    problems.add(path, 'this rule masks nothing: set entities or custom')
  custom.forEach((type, i) => {
    if (!type.regex && type.deny.length === 0)
      problems.add([...path, 'custom', i], 'regex or deny is expected')
    else if (provider === 'local') checkCustom(type, [...path, 'custom', i, 'regex'], problems)
  })
  if (provider === 'local') checkTypes(rule, path, problems)
}

function checkTypes({ entities, custom }: MaskingShape, path: Path, problems: Problems): void {
  const own = new Set(custom.map(({ name }) => name))
  const { needModel, unknown } = new Masking({ ...EVERYTHING, entities }).unserved
  for (const name of [...needModel, ...unknown].filter((type) => !own.has(type)))
    problems.add(
      [...path, 'entities', entities.indexOf(name)],
      needModel.includes(name)
        ? 'only a language model finds this type: use provider: presidio'
        : `the local engine has no such type: ${typeAdvice(name)}`,
    )
}

function checkCustom(type: MaskingShape['custom'][number], path: Path, problems: Problems): void {
  const problem = compileProblem({ ...EVERYTHING, entities: [], custom: [customType(type)] })
  if (problem !== undefined) problems.add(path, problem)
}

function customType({ name, regex, deny, score }: MaskingShape['custom'][number]) {
  return { name, regex: regex ?? undefined, denyList: deny, score }
}

/** Returns the masking in the form of hoop's gateway, or undefined if the output is not masked. */
export function maskingParams(
  connection: ConnectionShape,
  masking: SettingsShape['masking'],
): MaskingParams | undefined {
  const rules = rulesOf(connection, masking)
  const [first] = rules
  if (first === undefined) return undefined
  return {
    dlpProvider: first.provider === 'presidio' ? 'mspresidio' : 'alcatraz',
    dlpMode: first.mode,
    dlpPresidioAnalyzerUrl: first.analyzer ?? '',
    dlpPresidioAnonymizerUrl: first.anonymizer ?? '',
    dataMaskingEntityTypesData: Buffer.from(JSON.stringify(rules.map(entityTypes))),
  }
}

/** Maximum length of a connection's masking as JSON. It is in the packet that opens each session. */
const MASKING_BYTES = 1024 * 1024

function checkMaskingSize({ masking, connections }: SettingsShape, problems: Problems): void {
  connections.forEach((connection, i) => {
    const length = maskingParams(connection, masking)?.dataMaskingEntityTypesData?.length ?? 0
    if (length > MASKING_BYTES)
      problems.add(
        ['connections', i, 'masking'],
        `these rules are longer than ${MASKING_BYTES} bytes in total, as JSON`,
      )
  })
}

/** Builds all rules of each connection, because agents limit some sizes of all these rules together. */
function checkTogether({ masking, connections }: SettingsShape, problems: Problems): void {
  if (problems.count > 0) return
  const found = new Map<string, string | undefined>()
  connections.forEach((connection, i) => {
    const params = maskingParams(connection, masking)
    if (params?.dlpProvider !== 'alcatraz') return
    const rules = params.dataMaskingEntityTypesData
    const key = String(rules)
    if (!found.has(key)) found.set(key, compileProblem(decodeMasking(rules)))
    const problem = found.get(key)
    if (problem !== undefined) problems.add(['connections', i, 'masking'], `these rules together: ${problem}`)
  })
}

function compileProblem(rules: MaskingRules | undefined): string | undefined {
  try {
    if (rules !== undefined) new Masking(rules)
    return undefined
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.message
  }
}

function entityTypes({ name, entities, custom, threshold }: MaskingShape): object {
  return {
    id: name,
    name,
    supported_entity_types: [{ name: 'CUSTOM-SELECTION', entity_types: entities }],
    score_threshold: threshold,
    custom_entity_types: custom.map((type) => ({
      name: type.name,
      regex: type.regex ?? '',
      deny_list: type.deny,
      score: type.score,
    })),
  }
}

/** Returns the connection's rules. Unknown names are left out: `checkReferences` reports them. */
function rulesOf({ masking: names }: ConnectionShape, masking: SettingsShape['masking']): MaskingShape[] {
  return names.flatMap((name) => masking.filter((rule) => rule.name === name))
}

function presidioKey({ provider, mode, analyzer, anonymizer }: MaskingShape): string {
  return JSON.stringify([provider, mode, analyzer, anonymizer])
}
