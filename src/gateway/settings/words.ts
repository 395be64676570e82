import { matching } from '../../basics/settings/shapes.ts'

/** What most settings of gateway.yaml are made of. */
export const Name = matching(
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
  'a name of 1 to 100 letters, digits, dots, underscores or hyphens',
)
export const TextLine = matching(/^[^\p{Cc}]*$/u, 'one line of text')
