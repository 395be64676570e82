/** C1 controls, which JSON leaves as they are and terminals obey: U+009B is the start of an escape sequence. */
const C1 = /[\u007f-\u009f]/g

/** JSON that can be shown on a terminal, whoever wrote the texts in it. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_name, member: unknown) => (member === undefined ? null : member),
    indent,
  ).replace(C1, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}
