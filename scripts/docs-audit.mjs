/**
 * Returns the rows of the table of the audit log's words: the words, and the endpoints that have them.
 * @param operations the operations by method and path
 */
export function auditedRows(operations) {
  const endpoints = new Map()
  for (const [name, { audit }] of Object.entries(operations)) {
    if (audit === 'none') continue
    for (const verb of wordsOf(audit.verb)) endpoints.set(verb, [...(endpoints.get(verb) ?? []), name])
  }
  return [...endpoints].map(([verb, names]) => [verb, names.map(shown).join(', ')])
}

function wordsOf(verb) {
  return typeof verb === 'string' ? [verb] : [...Object.values(verb.values), verb.otherwise]
}

function shown(name) {
  return `\`${name.replaceAll(/:(\w+)/g, (_, word) => word.toUpperCase())}\``
}
