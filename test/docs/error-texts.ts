import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** Where a text comes from, for the message of a failed test. */
export interface ErrorText {
  /** As written in the code; `…` stands for what is put in. */
  readonly text: string
  readonly file: string
}

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))
/** What clients and the log of a running proxy get; commands tell their user directly what is wrong and what to do. */
const FOLDERS = [
  '',
  'proxy',
  's3',
  'sigv4',
  'sigv2',
  'keyring',
  'upstream',
  'upstream/lean',
  'server',
  'server/lean',
  'telemetry',
  'workers',
  'reload',
]

/** Every text of an S3Error, of a line of the log at warn or error, and of a StartError, read from the source. */
export function errorTexts(): readonly ErrorText[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(`${SRC}${folder}`)
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => textsIn(`${folder}${folder === '' ? '' : '/'}${name}`)),
  )
}

function textsIn(file: string): readonly ErrorText[] {
  const source = ts.createSourceFile(file, readFileSync(`${SRC}${file}`, 'utf8'), ts.ScriptTarget.ES2022, true)
  const found: string[] = []
  const makers = makersIn(source)
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node)) found.push(...textsOfNew(node))
    if (ts.isCallExpression(node)) found.push(...textsOfCall(node, makers))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found.map((text) => ({ text, file }))
}

/** Functions of the file that make an error of a text that they are given (`message` or `detail`, as it is). */
function makersIn(source: ts.SourceFile): ReadonlySet<string> {
  const makers = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name !== undefined) {
      const takes = node.parameters.some(({ name }) => name.getText() === 'message')
      if (takes && /new S3Error\(/.test(node.getText())) makers.add(node.name.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return makers
}

function textsOfNew({ expression, arguments: given = ts.factory.createNodeArray() }: ts.NewExpression): string[] {
  const name = expression.getText()
  if (name === 'StartError') return given.slice(0, 1).flatMap(textsOf)
  if (name !== 'S3Error') return []
  const [code, detail] = given
  if (detail === undefined || !ts.isObjectLiteralExpression(detail)) return code === undefined ? [] : textsOf(code)
  const message = detail.properties.find((one) => one.name?.getText() === 'message')
  if (message === undefined) return code === undefined ? [] : textsOf(code)
  return ts.isPropertyAssignment(message) ? textsOf(message.initializer) : []
}

function textsOfCall({ expression, arguments: given }: ts.CallExpression, makers: ReadonlySet<string>): string[] {
  const name = expression.getText()
  if (makers.has(name)) return given.slice(-1).flatMap(textsOf)
  if (/(?:^|\.)log\.(?:warn|error)$/.test(name)) return given.slice(1, 2).flatMap(textsOf)
  if (/(?:^|\.)warn$/.test(name)) return given.slice(0, 1).flatMap(textsOf)
  return []
}

/** The texts that an expression can be; none where it is made elsewhere. */
function textsOf(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node)) {
    const text = node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')
    return /[a-z]{3}/.test(text) ? [text] : []
  }
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)]
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression)
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left = '…', right = '…'] = [textsOf(node.left)[0], textsOf(node.right)[0]]
    return [`${left}${right}`]
  }
  return []
}
