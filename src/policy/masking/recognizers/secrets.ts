import { pattern, type Recognizer } from './recognizer.ts'

/**
 * Keys and tokens, which the reference does not know: looked for only when they are asked for by name. `\x5f` is `_`,
 * which alone would be a space.
 */
export const SECRETS: readonly Recognizer[] = [
  {
    name: 'AwsAccessKeyRecognizer',
    type: 'AWS_ACCESS_KEY',
    patterns: [pattern(String.raw`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b`, 0.9)],
    context: ['aws', 'access', 'key'],
  },
  {
    name: 'AwsSecretKeyRecognizer',
    type: 'AWS_SECRET_KEY',
    patterns: [pattern(String.raw`(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])`, 0.5)],
    context: ['aws', 'secret', 'secretaccesskey'],
    needsContext: true,
  },
  {
    name: 'JwtRecognizer',
    type: 'JWT',
    patterns: [
      pattern(
        String.raw`(?<![A-Za-z0-9\x5f-])eyJ[A-Za-z0-9\x5f-]{5,}\.eyJ[A-Za-z0-9\x5f-]{5,}\.[A-Za-z0-9\x5f-]*`,
        0.9,
      ),
    ],
    context: ['jwt', 'token', 'bearer'],
  },
  {
    name: 'PrivateKeyRecognizer',
    type: 'PRIVATE_KEY',
    patterns: [
      pattern(
        String.raw`-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!--)){1,16384}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`,
        1,
      ),
    ],
  },
  {
    name: 'BearerTokenRecognizer',
    type: 'BEARER_TOKEN',
    patterns: [pattern(String.raw`\b[Bb](?:earer|EARER)[\t ]{1,8}[A-Za-z0-9.\x5f~+/-]{16,}={0,2}`, 0.8)],
    context: ['authorization', 'token'],
  },
]
