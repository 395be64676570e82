import * as v from 'valibot'
import { about, choice, list, map, matching, parsed, webAddress } from '../../basics/settings/shapes.ts'
import { Name } from './words.ts'

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
const Text = matching(/^[^\0]+$/, 'a string')

const CustomTypeShape = map({
  name: about('name of the type, which the agent writes in place of a finding', EntityName),
  regex: about(
    'regular expression that finds the type, in the syntax of RE2, or of Python for provider presidio',
    v.nullish(Text),
  ),
  deny: about(
    'texts that are always masked where they are whole words',
    v.nullish(list(Text, 'strings'), []),
  ),
  score: about(
    'score of a finding by regex; findings with a score below threshold are not masked',
    v.nullish(Score, '0.9'),
  ),
})

export const MaskingShape = map({
  name: about('name of the rule, which connections[].masking refers to', Name),
  provider: about(
    'engine that masks: local is the agent itself, presidio is a service of Presidio',
    v.nullish(choice({ local: 'local', presidio: 'presidio' }), 'local'),
  ),
  analyzer: about(
    "address at which the agent reaches Presidio's analyzer; required for provider presidio",
    v.nullish(webAddress),
  ),
  anonymizer: about(
    "address at which the agent reaches Presidio's anonymizer; without this setting the agent itself replaces the findings of the analyzer",
    v.nullish(webAddress),
  ),
  mode: about(
    'what happens when masking fails: strict ends the session, best-effort shows the output',
    v.nullish(choice({ strict: 'strict', 'best-effort': 'best-effort' }), 'strict'),
  ),
  entities: about(
    'types that are masked, such as EMAIL_ADDRESS',
    v.nullish(list(EntityName, 'names of types'), []),
  ),
  custom: about('additional types that you define', v.nullish(list(CustomTypeShape, 'types'), [])),
  threshold: about('minimum score at which a finding is masked', v.nullish(Score, '0.5')),
})

export type MaskingShape = v.InferOutput<typeof MaskingShape>
