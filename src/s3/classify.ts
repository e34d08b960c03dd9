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

const ROWS = new Map<string, Operation[]>()
for (const operation of OPERATIONS) {
  const place = `${operation.method} ${operation.target}`
  ROWS.set(place, [...(ROWS.get(place) ?? []), operation])
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
  const rows = ROWS.get(`${method} ${target.type}`)
  if (rows === undefined) throw notAllowed(question)
  const preflight = rows.find(({ optional }) => optional === 'any')
  if (preflight !== undefined) return preflight
  for (const name of hoistedFields(query).keys()) {
    if (!fields.has(name)) throw invalid(name, `${name} is only taken from the query of a presigned request.`)
  }
  const selector = selectorOf(question, rows)
  const parameters = [...query.keys()].filter((name) => name !== 'x-id' && !/^x-amz-/i.test(name))
  const asked = rows.filter((row) => row.selector === selector && row.required.every((text) => has(query, text)))
  const found = asked.find((row) => parameters.every((name) => takes(row, name)))
  if (found !== undefined) return found
  throw unknownParameter(question, asked, parameters)
}

/** `acl`: there at all; `uploadId=*`: there and not empty; `list-type=2`: with this value. */
function has(query: Query, required: string): boolean {
  const [name = '', wanted] = required.split('=')
  const value = query.get(name)
  if (value === undefined) return false
  return wanted === undefined || (wanted === '*' ? value !== '' : value === wanted)
}

function takes({ required, optional }: Operation, parameter: string): boolean {
  return optional.includes(parameter) || required.some((text) => text.split('=')[0] === parameter)
}

function selectorOf({ method, target, fields }: Question, rows: readonly Operation[]): Selector {
  const found: [Selector, string][] = []
  for (const [name, selector] of Object.entries(SELECTING)) if (fields.has(name)) found.push([selector, name])
  if (method === 'POST' && target.type === 'bucket') {
    if (fields.has('x-amz-request-route')) found.push(['object-lambda', 'x-amz-request-route'])
    if (/^\s*multipart\/form-data/i.test(fields.get('content-type') ?? '')) found.push(['form', 'content-type'])
  }
  const [first, second] = found
  if (first === undefined) return 'none'
  const [selector, name] = first
  if (second !== undefined || !rows.some((row) => row.selector === selector)) {
    throw invalid(name, `${name} has no meaning for this request. Leave it out.`)
  }
  return selector
}

/** Headers that make a request another operation wherever they occur. */
const SELECTING = { 'x-amz-copy-source': 'copy-source', 'x-amz-write-offset-bytes': 'append' } as const

/** Names the first parameter that the operation that comes nearest does not take. */
function unknownParameter(question: Question, asked: readonly Operation[], parameters: readonly string[]): S3Error {
  const nearest = asked.reduce<Operation | undefined>(
    (best, row) => (best === undefined || row.required.length > best.required.length ? row : best),
    undefined,
  )
  const name = parameters.find((parameter) => nearest === undefined || !takes(nearest, parameter))?.slice(0, 128)
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
