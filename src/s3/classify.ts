import { S3Error } from './error.js'
import type { Fields } from './fields.js'
import { hoistedFields } from './hoisted.js'
import type { Operation, Selector } from './operation.js'
import { OPERATIONS } from './operations.js'
import type { Query } from './query.js'
import type { Target } from './target.js'

/** The request as far as it decides the operation. `fields` holds what a presigner hoisted, too. */
export interface Question {
  readonly method: string
  readonly target: Target
  readonly query: Query
  readonly fields: Fields
}

/** A row of the table with its parameters taken apart. */
interface Row {
  readonly operation: Operation
  readonly required: readonly { readonly name: string; readonly wanted: string | 'any' }[]
  /** All that it takes. */
  readonly parameters: ReadonlySet<string>
}

/** What may be asked with one method of one kind of target. */
interface Choice {
  readonly preflight: Operation | 'none'
  readonly rows: readonly Row[]
}

const CHOICES: Readonly<Record<Target['type'], ReadonlyMap<string, Choice>>> = {
  service: choicesOf('service'),
  bucket: choicesOf('bucket'),
  object: choicesOf('object'),
}

function choicesOf(target: Target['type']): ReadonlyMap<string, Choice> {
  const own = OPERATIONS.filter((operation) => operation.target === target)
  const choice = (asked: string): Choice => {
    const operations = own.filter(({ method }) => method === asked)
    return {
      preflight: operations.find(({ optional }) => optional === 'any') ?? 'none',
      rows: operations.map(rowOf),
    }
  }
  return new Map(own.map(({ method }) => [method, choice(method)]))
}

function rowOf(operation: Operation): Row {
  const required = operation.required.map((text) => {
    const [name = '', wanted = 'any'] = text.split('=')
    return { name, wanted }
  })
  const optional = operation.optional === 'any' ? [] : operation.optional
  return { operation, required, parameters: new Set([...required.map(({ name }) => name), ...optional]) }
}

/**
 * The operation that a request asks for, refused ones too (see {@link Operation.handling}). Never guesses: every query
 * parameter must belong to the operation.
 *
 * @throws S3Error MethodNotAllowed; NotImplemented naming the parameter; InvalidArgument, where x-amz-copy-source and
 *   the like are beside an operation that has no use for them, or stand in the query and nobody made them headers
 */
export function classify(question: Question): Operation {
  const { method, target, query, fields } = question
  const choice = CHOICES[target.type].get(method)
  if (choice === undefined) throw notAllowed(question)
  const { preflight, rows } = choice
  if (preflight !== 'none') return preflight
  for (const name of hoistedFields(query).keys()) {
    if (!fields.has(name)) throw invalid(name, `${name} is only taken from the query of a presigned request.`)
  }
  const selector = selectorOf(question, rows)
  for (const row of rows) {
    if (row.operation.selector === selector && hasRequired(query, row) && takesAll(row, query)) return row.operation
  }
  const asked = rows.filter((row) => row.operation.selector === selector && hasRequired(query, row))
  throw unknownParameter(question, asked)
}

/** `acl`: there at all; `uploadId=*`: there and not empty; `list-type=2`: with this value. */
function hasRequired(query: Query, { required }: Row): boolean {
  for (const { name, wanted } of required) {
    const value = query.get(name)
    if (value === undefined) return false
    if (wanted === '*' ? value === '' : wanted !== 'any' && wanted !== value) return false
  }
  return true
}

function takesAll({ parameters }: Row, query: Query): boolean {
  if (query.size === 0) return true
  for (const name of query.keys()) if (!parameters.has(name) && isParameter(name)) return false
  return true
}

/** Whether it says anything of the operation: not what a signer or an SDK adds. */
function isParameter(name: string): boolean {
  return name !== 'x-id' && !/^x-amz-/i.test(name)
}

function selectorOf({ method, target, fields }: Question, rows: readonly Row[]): Selector {
  const found: [Selector, string][] = []
  if (fields.has('x-amz-copy-source')) found.push(['copy-source', 'x-amz-copy-source'])
  if (fields.has('x-amz-write-offset-bytes')) found.push(['append', 'x-amz-write-offset-bytes'])
  if (method === 'POST' && target.type === 'bucket') {
    if (fields.has('x-amz-request-route')) found.push(['object-lambda', 'x-amz-request-route'])
    if (/^\s*multipart\/form-data/i.test(fields.get('content-type') ?? '')) found.push(['form', 'content-type'])
  }
  const [first, second] = found
  if (first === undefined) return 'none'
  const [selector, name] = first
  if (second !== undefined || !rows.some(({ operation }) => operation.selector === selector)) {
    throw invalid(name, `${name} has no meaning for this request. Leave it out.`)
  }
  return selector
}

/** Names the first parameter that the operation that comes nearest does not take. */
function unknownParameter(question: Question, asked: readonly Row[]): S3Error {
  const nearest = asked.reduce<Row | undefined>(
    (best, row) => (best === undefined || row.required.length > best.required.length ? row : best),
    undefined,
  )
  const name = [...question.query.keys()]
    .find((parameter) => isParameter(parameter) && nearest?.parameters.has(parameter) !== true)
    ?.slice(0, 128)
  if (name === undefined) return notAllowed(question)
  return new S3Error('NotImplemented', {
    message: `The query parameter ${name} is not implemented for this request, alone or beside the others.`,
    extra: { ArgumentName: name },
  })
}

function notAllowed({ method, target }: Question): S3Error {
  return new S3Error('MethodNotAllowed', {
    extra: { Method: method.slice(0, 32), ResourceType: target.type.toUpperCase() },
  })
}

function invalid(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, extra: { ArgumentName: name.slice(0, 128) } })
}
