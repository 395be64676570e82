import * as v from 'valibot'
import { about, choice, list, map, matching, parsed, webAddress } from '../../../basics/settings/shapes.ts'
import { Name } from './words.ts'

// The shape of `masking` in gateway.yaml.

const EntityName = matching(/^[A-Z][A-Z0-9_]{0,99}$/, 'a name of capital letters, digits and underscores')
const Score = parsed(
  (written) => (/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/.test(written) ? Number(written) : undefined),
  'a number from 0 to 1',
  {
    type: ['number', 'string'],
    pattern: '^(?:0(?:\\.\\d+)?|1(?:\\.0+)?)$',
    minimum: 0,
    maximum: 1,
  },
)
const Text = matching(/^[^\0]+$/, 'a text')

const CustomTypeShape = map({
  name: about('name of the type, written in place of a finding', EntityName),
  regex: about('an expression of RE2; of Python for Presidio', v.nullish(Text)),
  deny: about('texts that are always masked, as whole words', v.nullish(list(Text, 'texts'), [])),
  score: about('score of a match of regex', v.nullish(Score, '0.9')),
})

/** What connections mask in their output, by name. */
export const MaskingShape = map({
  name: about('name of the rule, for masking of connections', Name),
  provider: about(
    'local masks in the agent, presidio asks its services',
    v.nullish(choice({ local: 'local', presidio: 'presidio' }), 'local'),
  ),
  analyzer: about("address of Presidio's analyzer, as the agent reaches it", v.nullish(webAddress)),
  anonymizer: about(
    "address of Presidio's anonymizer; without it the agent replaces what the analyzer found",
    v.nullish(webAddress),
  ),
  mode: about(
    'what happens when masking fails: strict ends the session, best-effort shows the output',
    v.nullish(choice({ strict: 'strict', 'best-effort': 'best-effort' }), 'strict'),
  ),
  entities: about('types that are masked, EMAIL_ADDRESS', v.nullish(list(EntityName, 'names of types'), [])),
  custom: about('types of your own', v.nullish(list(CustomTypeShape, 'types'), [])),
  threshold: about('score below which a finding is not masked', v.nullish(Score, '0.5')),
})

export type MaskingShape = v.InferOutput<typeof MaskingShape>
