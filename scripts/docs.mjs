// Writes tables from the code into the pages of docs/: settings, codes, endpoints, their options and the
// fields of their answers. Needs a build:
//
//   npm run docs
//   node scripts/docs.mjs --check    changes nothing, names the pages that are out of date, and fails if
// there are any
//
// A table is between <!-- made by scripts/docs.mjs: KIND WORDS --> and <!-- end -->.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { auditedRows } from './docs-audit.mjs'
import { CODES, codeRows, hasLongList, textsList } from './docs-codes.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const built = createRequire(path.join(root, 'dist/'))
const BLOCK = /(<!-- made by scripts\/docs\.mjs: ([\w-]+)([^>]*) -->\n)[^]*?(<!-- end -->)/g
const isCheck = process.argv.includes('--check')

/** Rows that are not in a table yet. Every row must be in one table of a page. */
const unused = new Map([['texts', new Set()]])
/** Fields of answers without a meaning. */
const unsaid = new Set()

const MAKERS = {
  'settings-agent': (words) => settingsTable('agent', agentSettings(), words),
  'settings-gateway': (words) => settingsTable('gateway', gatewaySettings(), words),
  codes: (words) => codesTable(words),
  texts: ([code]) => listOfTexts(code),
  endpoints: (words) => endpointsTable(words),
  audited: () => table(['words', 'endpoints'], auditedRows(built('./gateway/rest/resources.js').OPERATIONS)),
  options: ([endpoint]) => optionsTable(endpoint),
  fields: ([words, method, endpoint]) => fieldsTable(words, `${method} ${endpoint}`),
}

function agentSettings() {
  const { flagOf, settings, variableOf } = built('./config/table.js')
  const { properties } = JSON.parse(readFileSync(path.join(root, 'schemas/agent.schema.json'), 'utf8'))
  return settings.map(({ name, aliases = [], isSecret, isOfMachine }) => ({
    name,
    schema: properties[name],
    isRequired: false,
    ownDefault: isOfMachine ? "the machine's" : '',
    ways: [isSecret ? '' : flagOf(name), variableOf(name), ...aliases].filter((way) => way !== ''),
  }))
}

function gatewaySettings() {
  return members(JSON.parse(readFileSync(path.join(root, 'schemas/gateway.schema.json'), 'utf8')), '')
}

function members({ properties = {}, required = [] }, above) {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const name = above + key
    const inside = schema.items?.properties === undefined ? schema : schema.items
    const below = members(inside, `${name}${inside === schema ? '' : '[]'}.`)
    // A group has no row, because its members have rows.
    return below.length > 0 ? below : [{ name, schema, isRequired: required.includes(key) }]
  })
}

function settingsTable(kind, settings, patterns) {
  if (!unused.has(kind)) unused.set(kind, new Set(settings.map(({ name }) => name)))
  const rows = patterns.flatMap((pattern) => {
    const found = settings.filter(({ name }) => matches(name, pattern))
    if (found.length === 0) throw new Error(`no setting of the ${kind} is called ${pattern}`)
    for (const { name } of found) unused.get(kind).delete(name)
    return found
  })
  return table(
    ['setting', 'takes', 'default', 'meaning', ...(kind === 'agent' ? ['flag, variables'] : [])],
    rows.map(({ name, schema, isRequired, ownDefault = '', ways }) => {
      const [meaning, takes = [schema.type].flat().includes('object') ? 'names and values' : ''] =
        schema.description.split('. Takes ')
      const value = isRequired ? 'required' : written(schema) || ownDefault
      const others = ways === undefined ? [] : [ways.map((way) => `\`${way}\``).join(', ')]
      return [`\`${name}\``, escaped(shortened(takes)), value, escaped(meaning), ...others]
    }),
  )
}

/** Tells whether the name matches. `listen.*` matches all settings below `listen`. */
function matches(name, pattern) {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** Shortens the forms of durations, sizes and names, because the page describes these forms once. */
function shortened(takes) {
  return takes
    .replaceAll(/(duration|size) \([^)]*\)/g, '$1')
    .replace(/^(a name) of 1 to 100 letters.*/, '$1')
    .replace(/^a secret of at least 16.*/, 'a secret, or its hash')
    .replace(/,$/, '')
}

/** Escapes Markdown, because descriptions are plain text. */
function escaped(text) {
  return text.replaceAll(/[*<]/g, String.raw`\$&`)
}

function written(schema) {
  const { default: value } = { ...schema.anyOf?.find((one) => one.default !== undefined), ...schema }
  const isEmpty =
    value === undefined || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)
  return isEmpty ? '' : `\`${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}\``
}

function codesTable([name]) {
  if (!unused.has('codes'))
    unused.set('codes', new Set(Object.keys(built('./wire/gateway-codes.js').STATUSES)))
  const rows = codeRows(CODES[name], built)
  for (const [code] of rows) {
    if (!unused.get('codes').delete(code)) throw new Error(`${code} is no code, or stands here twice`)
    if (hasLongList(code, built)) unused.get('texts').add(code)
  }
  return table(['code', 'gRPC', 'exit', 'HTTP', 'exit', 'text', 'what to do'], rows)
}

function listOfTexts(code) {
  unused.get('texts').delete(code)
  return textsList(code, built)
}

/** Returns the table of the endpoints with these tags. Required fields of the body are bold. */
function endpointsTable(words) {
  const { OPERATIONS } = built('./gateway/rest/resources.js')
  if (!unused.has('endpoints')) unused.set('endpoints', new Set(Object.keys(OPERATIONS)))
  const rows = Object.entries(OPERATIONS).filter(([, { tag }]) => words.includes(tag))
  if (rows.length === 0) throw new Error(`no endpoint has the tag ${words.join(' or ')}`)
  for (const [name] of rows) unused.get('endpoints').delete(name)
  return table(
    ['endpoint', 'what it does', 'takes', 'answers', 'for', 'refuses with'],
    rows.map(([name, operation]) => {
      const { summary, description, answers, type, codes = [] } = operation
      return [
        `\`${name.replaceAll(/:(\w+)/g, (_, word) => word.toUpperCase())}\``,
        description === undefined ? summary : `${summary}. ${description.replace(/\.$/, '')}`,
        takenBy(operation),
        answersOf(answers) + (type === undefined ? '' : `, \`${type}\``),
        callers(operation),
        [...new Set(codes)].map((code) => `\`${code}\``).join(', '),
      ]
    }),
  )
}

function callers({ scope, ...operation }) {
  const { callersOf, SCOPES } = built('./contract/contract.js')
  return callersOf(operation) + (scope === undefined ? '' : `; ${SCOPES[scope]}`)
}

/** Returns the fields of the body and the options of the URL. Fields that many endpoints share are a link. */
function takenBy({ body, query = {} }) {
  const fields = Object.entries(fieldsOf(body))
  const required = fields.filter(([, shape]) => !/optional|nullish|undefinedable/.test(shape.type))
  const needed = required.map(([name]) => `**\`${name}\`**`)
  const others = fields.filter((field) => !required.includes(field)).map(([name]) => name)
  return [...needed, ...linked([...others, ...Object.keys(query)])].join(', ')
}

function fieldsOf(shape) {
  if (shape === undefined) return {}
  return shape.entries ?? shape.pipe?.map(fieldsOf).find((found) => Object.keys(found).length > 0) ?? {}
}

function linked(names) {
  const { executionContract } = built('./contract/executions.js')
  const { sessionListContract } = built('./contract/sessions.js')
  const sets = [
    [
      '[the common fields](#executions)',
      Object.keys(fieldsOf(executionContract.script.body)).filter(isCommon),
    ],
    ['[the filters](#the-list-of-sessions)', Object.keys(sessionListContract.list.query).filter(isFilter)],
  ]
  const found = sets.filter(([, members]) => members.every((name) => names.includes(name)))
  const own = names.filter((name) => !found.some(([, members]) => members.includes(name)))
  return [...own.map((name) => `\`${name}\``), ...found.map(([link]) => link)]
}

const isCommon = (name) => !['connection', 'script', 'labels'].includes(name)
const isFilter = (name) => !['limit', 'offset', 'count'].includes(name)

function optionsTable(endpoint) {
  const { OPERATIONS } = built('./gateway/rest/resources.js')
  const { query } = OPERATIONS[`GET ${endpoint}`]
  return table(
    ['option', 'meaning'],
    Object.entries(query).map(([name, meaning]) => [`\`${name}\``, escaped(meaning)]),
  )
}

/** Objects with their own table of fields: the words of the heading, and the shape of the answer. */
const RESOURCES = [
  ...readFileSync(path.join(root, 'docs/rest.md'), 'utf8').matchAll(
    /made by scripts\/docs\.mjs: fields (\S+) (\S+ \S+)/g,
  ),
].map(([, words, endpoint]) => ({ words, shape: objectOf(answerOf(endpoint)) }))
/** Anchor of the section of the page that explains each state. */
const STATE = 'a-state'
RESOURCES.push({ words: STATE, shape: built('./contract/session-state.js').StateShape })

/** Returns the answer of an endpoint, or with `#name` the field of this name in the answer. */
function answerOf(place) {
  const { OPERATIONS } = built('./gateway/rest/resources.js')
  const [endpoint, field] = place.split('#')
  if (OPERATIONS[endpoint] === undefined) throw new Error(`no endpoint is called ${endpoint}`)
  const { answers } = OPERATIONS[endpoint]
  const answer = answers[200] ?? answers[201]
  return field === undefined ? answer : objectOf(answer).entries[field]
}

/** Returns the object of a list, or the first of several objects. */
function objectOf(shape) {
  if (shape === undefined || shape.entries !== undefined) return shape
  return objectOf(shape.item ?? shape.wrapped ?? shape.options?.[0])
}

/**
 * Returns the object of `RESOURCES` that this shape shows. In a list, or in the answer to its creation, an
 * object may have fewer or more fields.
 */
function resourceOf(shape) {
  const isSame = (other) => {
    const names = Object.keys(shape.entries)
    const same = names.filter((name) => other.entries[name] === shape.entries[name])
    return shape === other || (same.length > 4 && same.length > names.length / 2)
  }
  return RESOURCES.find((one) => isSame(one.shape))
}

function linkTo({ words }) {
  if (words === STATE) return '[state](#states-of-a-session)'
  return `[${words.replaceAll('-', ' ').replace(/^an? /, '')}](#fields-of-${words})`
}

/** Returns the text of an endpoint's answers. Answers with the same fields are grouped. */
function answersOf(answers) {
  const texts = Object.entries(answers).map(([status, shape]) => [status, answerText(shape)])
  return [...new Set(texts.map(([, text]) => text))]
    .map((text) => {
      const statuses = texts.filter(([, other]) => other === text).map(([status]) => status)
      return statuses.join(', ') + (text === '' ? '' : `: ${text}`)
    })
    .join('; ')
}

/** Returns the text of an answer in a cell: a link to the table of its fields, or the names of the fields. */
function answerText(shape) {
  switch (shape.type) {
    case 'array':
      return answerText(shape.item) === '' ? '' : `list: ${answerText(shape.item)}`
    case 'nullable':
      return `${answerText(shape.wrapped)}, or null`
    case 'union':
      return shape.options.map(answerText).join(', or ')
    case 'strict_object':
      return objectText(shape)
    default:
      return ''
  }
}

function objectText(shape) {
  const resource = resourceOf(shape)
  const names = Object.keys(shape.entries).filter((name) => resource?.shape.entries[name] === undefined)
  const fields = names.map((name) => {
    const inside = objectOf(shape.entries[name])
    const link = inside?.entries && resourceOf(inside)
    return `\`${name}\`${link ? ` (${linkTo(link)})` : ''}`
  })
  return [...(resource === undefined ? [] : [linkTo(resource)]), ...fields].join(', ')
}

/**
 * Returns the folded table of an answer's fields. Every field needs a meaning, except fields with a constant
 * value.
 */
function fieldsTable(words, endpoint) {
  const shape = objectOf(answerOf(endpoint))
  const rows = fieldRows(shape, '', endpoint)
  return [
    `#### Fields of ${words.replaceAll('-', ' ')}`,
    `<details><summary>${Object.keys(shape.entries).length} fields</summary>`,
    table(['field', 'type', 'meaning'], rows),
    '</details>',
  ].join('\n\n')
}

function fieldRows({ entries }, above, endpoint) {
  return Object.entries(entries).flatMap(([name, shape]) => {
    const inside = objectOf(shape)
    const hasRows = inside?.entries !== undefined && resourceOf(inside) === undefined
    const below = hasRows ? fieldRows(inside, `${above}${name}${hasList(shape) ? '[]' : ''}.`, endpoint) : []
    const type = typeOf(shape)
    const meaning =
      meaningOf(shape) ?? (type.startsWith('always') ? "hoop's field, of no use here" : undefined)
    // The meaning of a small object may also describe its fields.
    if (meaning === undefined && above === '')
      unsaid.add(`${endpoint}: the field ${name} has no meaning (src/contract)`)
    return [[`\`${above}${name}\``, type, escaped(meaning ?? '')], ...below]
  })
}

function hasList({ type, wrapped }) {
  return type === 'array' || (wrapped !== undefined && hasList(wrapped))
}

function meaningOf(shape) {
  return (
    shape.pipe?.findLast(({ type }) => type === 'description')?.description ??
    (shape.wrapped && meaningOf(shape.wrapped))
  )
}

function isTime({ type, pipe = [] }) {
  return type === 'iso_timestamp' || pipe.some(isTime)
}

function typeOf(shape) {
  const { STATE_NAMES } = built('./contract/session-state.js')
  switch (shape.type) {
    case 'string':
      return isTime(shape) ? 'time' : 'text'
    case 'literal':
      return typeof shape.literal === 'string'
        ? `always ${shape.literal === '' ? 'empty' : `\`${shape.literal}\``}`
        : `always ${shape.literal}`
    case 'null':
      return 'always null'
    case 'picklist':
      if (shape.options === STATE_NAMES) return '[state](#states-of-a-session)'
      if (shape.options.length > 20) return '[code](endings-and-codes.md#codes-of-the-gateway)'
      return shape.options.map((option) => `\`${option}\``).join(', ')
    case 'array':
      return shape.item.type === 'never' ? 'always an empty list' : `list: ${typeOf(shape.item)}`
    case 'nullable':
      return `${typeOf(shape.wrapped)}, or null`
    case 'optional':
      return `${typeOf(shape.wrapped).replace(/^always /, '')}, may be missing`
    case 'union':
      return shape.options.map(typeOf).join(', or ')
    case 'record':
      return 'names and values'
    case 'strict_object':
      if (Object.keys(shape.entries).length === 0) return 'always an empty object'
      return resourceOf(shape) === undefined ? 'object' : linkTo(resourceOf(shape))
    case 'tuple':
      return 'list'
    default:
      return shape.type
  }
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '-')), ...rows.map(line)].join('\n')
}

const options = await resolveConfig(path.join(root, 'docs/settings.md'))
const outdated = []
for (const name of readdirSync(path.join(root, 'docs')).filter((file) => file.endsWith('.md'))) {
  const file = path.join(root, 'docs', name)
  const before = readFileSync(file, 'utf8')
  if (before.search(BLOCK) < 0) continue
  const made = before.replaceAll(BLOCK, (_, begin, kind, words, end) => {
    return `${begin}\n${MAKERS[kind](words.trim().split(/\s+/))}\n\n${end}`
  })
  const after = await format(made, { ...options, parser: 'markdown' })
  if (after === before) continue
  outdated.push(`docs/${name} is out of date: npm run docs`)
  if (!isCheck) writeFileSync(file, after)
}
const missing = [...unused].flatMap(([kind, names]) =>
  [...names].map((name) => `${kind}: no page has ${name}`),
)
missing.push(...unsaid)
const problems = isCheck ? [...outdated, ...missing] : missing
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
