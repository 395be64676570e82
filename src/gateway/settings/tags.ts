/** The tags of a connection: `env` to `prod`. */
export type Tags = Readonly<Record<string, string>>

/** One condition of a selector. */
interface TagCondition {
  readonly key: string
  readonly value: string
  /** `env!=prod`: what has another value, or none. */
  readonly isExcluded: boolean
}

/** All of them have to hold. */
export type TagSelector = readonly TagCondition[]

/** Neither `=` nor `,` nor `!`, which stand between the parts of a selector. */
export const TAG_KEY = /^[A-Za-z0-9_./-]{1,64}$/
export const TAG_VALUE = /^[A-Za-z0-9 _./+@:-]{1,128}$/

/** In one selector. */
const MOST_CONDITIONS = 20

/** Reads `env=prod,region!=eu`. @returns undefined for anything else */
export function parseTagSelector(text: string): TagSelector | undefined {
  const conditions = text.split(',').map(conditionOf)
  const isWhole = conditions.length <= MOST_CONDITIONS
  return isWhole && conditions.every((one) => one !== undefined) ? conditions : undefined
}

export function hasTags(tags: Tags, selector: TagSelector): boolean {
  return selector.every(({ key, value, isExcluded }) => (valueOf(tags, key) === value) !== isExcluded)
}

function conditionOf(text: string): TagCondition | undefined {
  const [, key = '', not, value = ''] = /^([^=!]*)(!?)=([^=]*)$/.exec(text.trim()) ?? []
  if (!TAG_KEY.test(key) || !TAG_VALUE.test(value)) return undefined
  return { key, value, isExcluded: not === '!' }
}

function valueOf(tags: Tags, key: string): string | undefined {
  return Object.hasOwn(tags, key) ? tags[key] : undefined
}
