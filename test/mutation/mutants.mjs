import path from 'node:path'
import ts from 'typescript'

// Makes the mutants of a file: each changes one place of it.

/** Calls and constructions whose texts are for people: tests do not pin them. */
const TEXTS = /(^|\.)(log|logger|#log)\.\w+$|Error$|Refused$|Failure$|^hoopWords\./

/** One more of so many, milliseconds mostly, is the same to everybody. */
const LARGE = 1000

const SWAPPED = new Map([
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
  [ts.SyntaxKind.QuestionQuestionToken, '&&'],
  [ts.SyntaxKind.MinusToken, '+'],
  [ts.SyntaxKind.AsteriskToken, '/'],
])

/**
 * @typedef {object} Mutant
 * @property {string} file
 * @property {number} line
 * @property {string} operator
 * @property {string} before the line as it is, without its indentation
 * @property {string} after the line as the mutant has it
 * @property {string} text the whole file as the mutant has it
 */

/** @returns {Mutant[]} all mutants of a source file, in the order of their places */
export function mutantsOf(file, source) {
  const tree = ts.createSourceFile(path.basename(file), source, ts.ScriptTarget.Latest, true)
  const mutants = []
  const add = (operator, from, to, replacement) => {
    const text = source.slice(0, from) + replacement + source.slice(to)
    if (text === source) return
    const start = source.lastIndexOf('\n', from - 1) + 1
    const stop = (index, within) => (within.indexOf('\n', index) + 1 || within.length + 1) - 1
    mutants.push({
      file,
      line: tree.getLineAndCharacterOfPosition(from).line + 1,
      operator,
      before: oneLine(source.slice(start, stop(to, source))),
      after: oneLine(text.slice(start, stop(from + replacement.length, text))),
      text,
    })
  }
  visit(tree, (node, operator, replacement) => add(operator, node.getStart(tree), node.getEnd(), replacement))
  return mutants
}

function oneLine(text) {
  return text.trim().replace(/\s+/g, ' ')
}

function visit(node, add) {
  if (isLeftAlone(node)) return
  for (const [operator, place, replacement] of changesOf(node)) add(place, operator, replacement)
  ts.forEachChild(node, (child) => visit(child, add))
}

/** Types, imports, and what is only said to people. */
function isLeftAlone(node) {
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true
  if (ts.isModuleDeclaration(node)) return true
  if (ts.isExpressionStatement(node)) return isText(node.expression)
  return isText(node)
}

function isText(node) {
  return (ts.isCallExpression(node) || ts.isNewExpression(node)) && TEXTS.test(node.expression.getText())
}

/** @returns {Iterable<[string, ts.Node, string]>} operator, what it replaces, by what */
function* changesOf(node) {
  yield* conditions(node)
  yield* statements(node)
  if (ts.isBinaryExpression(node)) {
    const swapped = SWAPPED.get(node.operatorToken.kind)
    if (swapped !== undefined) yield [`swap ${node.operatorToken.getText()}`, node.operatorToken, swapped]
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    yield ['drop !', node, node.operand.getText()]
  yield* values(node)
}

function* conditions(node) {
  const condition = ts.isConditionalExpression(node) ? node.condition : undefined
  const tested =
    condition ?? (ts.isIfStatement(node) || ts.isWhileStatement(node) ? node.expression : undefined)
  if (tested !== undefined) yield ['negate condition', tested, `!(${tested.getText()})`]
}

function* statements(node) {
  if (ts.isExpressionStatement(node) && isCall(node.expression)) yield ['drop call', node, ';']
  if (
    ts.isReturnStatement(node) &&
    node.expression !== undefined &&
    node.expression.getText() !== 'undefined'
  )
    yield ['return undefined', node.expression, 'undefined']
  if (ts.isThrowStatement(node)) yield ['drop throw', node, ';']
  if (ts.isBlock(node) && ts.isFunctionLike(node.parent)) {
    const [first] = node.statements
    if (first !== undefined && !ts.isReturnStatement(first))
      yield ['return at once', first, `return; ${first.getText()}`]
  }
}

function isCall(expression) {
  const called =
    ts.isAwaitExpression(expression) || ts.isVoidExpression(expression) ? expression.expression : expression
  return ts.isCallExpression(called) && called.expression.kind !== ts.SyntaxKind.SuperKeyword
}

function* values(node) {
  if (ts.isNumericLiteral(node) && !ts.isTypeNode(node.parent) && !isUnreached(node)) {
    if (Number(node.text) !== 0) yield ['number to 0', node, '0']
    if (Number(node.text) < LARGE) yield ['number plus 1', node, `(${node.text} + 1)`]
  }
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 0)
    for (const element of node.elements)
      if (!ts.isOmittedExpression(element)) yield ['drop element', element, '...[]']
  // A text with a space in it is for people, or SQL, which fails at once.
  if (ts.isStringLiteral(node) && node.text !== '' && !node.text.includes(' '))
    yield ['empty string', node, "''"]
  if (node.kind === ts.SyntaxKind.TrueKeyword) yield ['true to false', node, 'false']
  if (node.kind === ts.SyntaxKind.FalseKeyword) yield ['false to true', node, 'true']
}

/** The compiler wants `list[at] ?? 0` also where the element is always there. */
function isUnreached({ parent }) {
  const isDefault =
    ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken
  return isDefault && (ts.isElementAccessExpression(parent.left) || parent.left.getText().includes('.at('))
}
