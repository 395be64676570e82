/** Whether a pattern is for this file: `*` is anything but a slash, `**` anything. */
export function isPathFor(pattern: string, file: string): boolean {
  const source = pattern.split(/(\*+)/).map((part, at) => (at % 2 === 0 ? escaped(part) : wild(part)))
  // The longest file name is PATH_MAX, see runbooks/git/tree.ts.
  return new RegExp(`^${source.join('')}$`, 'su').test(file)
}

function wild(stars: string): string {
  return stars.length === 1 ? '[^/]*' : '.*'
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
