/** The colours are those of page.css: `w` words, `t` texts, `n` names, `d` numbers, `c` comments. */
export function Coloured({ text, file }: { readonly text: string; readonly file: string }) {
  return (
    <>
      {colouredPieces(text, file).map(({ kind, text: piece }, index) =>
        kind === undefined ? (
          piece
        ) : (
          <span key={index} class={kind}>
            {piece}
          </span>
        ),
      )}
    </>
  )
}

/** Splits a text by its colours. The pieces joined together are the whole text. */
export function colouredPieces(text: string, file: string): readonly Piece[] {
  const language = languageOf(file)
  const isPlain = language === undefined || text.length > MAX_CHARACTERS
  return isPlain ? [{ kind: undefined, text }] : piecesOf(text, language)
}

/** Longer scripts have no colours, because each coloured piece is a DOM element. */
const MAX_CHARACTERS = 100_000

type Kind = 'w' | 't' | 'n' | 'd' | 'c'

const COMMENTS = { hash: '#[^\\n]*', dashes: '--[^\\n]*', slashes: '//[^\\n]*', block: '/\\*[^]*?(?:\\*/|$)' }
const TEXTS = `"(?:[^"\\\\]|\\\\[^])*"?|'(?:[^'\\\\]|\\\\[^])*'?`
const SHELL =
  'if then else elif fi for while until do done case esac in function return local export set echo exit cd read trap'
const SQL =
  'select from where insert into update delete set values create alter drop table index view join left right inner outer on as and or not null is in exists group by order having limit offset union all distinct case when then else end begin commit rollback with returning like between'
const PYTHON =
  'def class return if elif else for while in not and or is None True False import from as with try except finally raise yield lambda pass break continue global async await'
const SCRIPT =
  'const let var function return if else for while of in new class extends import export from default async await try catch finally throw typeof instanceof null undefined true false switch case break continue'

interface Language {
  readonly pattern: RegExp
  readonly words: ReadonlySet<string>
}

function language(comments: readonly string[], names: string, words: string, flags = 'g'): Language {
  // A comment of a shell begins at the start of a word, so `$#` and `a#b` are not comments.
  const comment = comments.map((one) => (one === COMMENTS.hash ? `(?<![\\w$])${one}` : one)).join('|')
  const numbers = '(?<![\\w.])\\d+(?:\\.\\d+)?\\b'
  const pattern = new RegExp(
    `(?<c>${comment})|(?<t>${TEXTS})|(?<n>${names})|(?<d>${numbers})|(?<w>[A-Za-z_]+)`,
    flags,
  )
  return { pattern, words: new Set(words.split(' ')) }
}

const NOTHING = '(?!)'
const LANGUAGES: Readonly<Record<string, () => Language>> = {
  sh: () => language([COMMENTS.hash], '\\$(?:\\{[^}\\n]*\\}|\\w+|[#?@*!$-])', SHELL),
  sql: () => language([COMMENTS.dashes, COMMENTS.block], ':\\w+', `${SQL} ${SQL.toUpperCase()}`),
  py: () => language([COMMENTS.hash], '@\\w+', PYTHON),
  js: () => language([COMMENTS.slashes, COMMENTS.block], NOTHING, SCRIPT),
  yaml: () => language([COMMENTS.hash], '(?<=^\\s*(?:- )?)[\\w.-]+(?=:)', 'true false null yes no', 'gm'),
  json: () => language([NOTHING], '"[^"\\n]*"(?=\\s*:)', 'true false null'),
}
const ENDINGS: Readonly<Record<string, string>> = {
  sh: 'sh',
  bash: 'sh',
  zsh: 'sh',
  ksh: 'sh',
  sql: 'sql',
  psql: 'sql',
  py: 'py',
  js: 'js',
  mjs: 'js',
  cjs: 'js',
  ts: 'js',
  yaml: 'yaml',
  yml: 'yaml',
  json: 'json',
}

function languageOf(file: string): Language | undefined {
  const ending = ENDINGS[file.slice(file.lastIndexOf('.') + 1).toLowerCase()]
  return ending === undefined ? undefined : LANGUAGES[ending]?.()
}

interface Piece {
  readonly kind: Kind | undefined
  readonly text: string
}

/** Splits the text into pieces. The pieces joined together are the whole text. */
function piecesOf(text: string, { pattern, words }: Language): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const { 0: found, index, groups = {} } of text.matchAll(pattern)) {
    const kind = (['c', 't', 'n', 'd', 'w'] as const).find((one) => groups[one] !== undefined)
    if (kind === undefined || (kind === 'w' && !words.has(found))) continue
    if (index > end) pieces.push({ kind: undefined, text: text.slice(end, index) })
    pieces.push({ kind, text: found })
    end = index + found.length
  }
  if (end < text.length) pieces.push({ kind: undefined, text: text.slice(end) })
  return pieces
}
