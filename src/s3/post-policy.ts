import { S3Error } from './error.js'

/** What a signed policy asks of the form that comes with it. */
export interface PostPolicy {
  readonly expiration: Date
  readonly conditions: readonly PolicyCondition[]
}

export type PolicyCondition =
  | {
      readonly type: 'eq' | 'starts-with'
      /** As the policy has it, for messages. */
      readonly name: string
      readonly value: string
    }
  /** bytes, both inclusive */
  | { readonly type: 'content-length-range'; readonly min: number; readonly max: number }

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const EXPIRATION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a policy document from its field: base64 of JSON in UTF-8.
 *
 * @throws S3Error InvalidPolicyDocument, with S3's words
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export function parsePostPolicy(field: string): PostPolicy {
  const document = parseJson(field)
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw invalid('Invalid JSON.')
  for (const name of Object.keys(document)) {
    if (name !== 'expiration' && name !== 'conditions') throw invalid(`Unexpected: '${name.slice(0, 128)}'`)
  }
  const { expiration, conditions } = document as Readonly<Record<string, unknown>>
  if (expiration === undefined) throw invalid('Policy missing expiration.')
  if (conditions === undefined) throw invalid('Policy missing conditions.')
  if (!Array.isArray(conditions)) throw invalid("Invalid 'conditions' value: must be a List.")
  return { expiration: parseExpiration(expiration), conditions: conditions.map(parseCondition) }
}

/** S3's documents have two escapes more than JSON: a backslash before `$`, and `\v`. */
function parseJson(field: string): unknown {
  // Not `\s`: the signature of version 2 is over bytes, and U+202F for one ends in that of a slash.
  const isBare = BASE64.test(field)
  const bytes = isBare ? field : field.replace(/[ \t\r\n]/g, '')
  if (!isBare && !BASE64.test(bytes)) throw invalid('invalid Base64 encoding.')
  try {
    const text = UTF8.decode(Buffer.from(bytes, 'base64'))
    if (!text.includes('\\')) return JSON.parse(text)
    return JSON.parse(text.replace(/\\([\s\S])/g, (whole, letter) => OWN_ESCAPES[letter as string] ?? whole))
  } catch {
    throw invalid('Invalid JSON.')
  }
}

const OWN_ESCAPES: Readonly<Record<string, string>> = { $: '$', v: '\\u000b' }

function parseExpiration(value: unknown): Date {
  const time = typeof value === 'string' && EXPIRATION.test(value) ? new Date(value) : new Date(NaN)
  if (Number.isNaN(time.getTime())) throw invalid(`Invalid 'expiration' value: '${String(value).slice(0, 128)}'`)
  return time
}

function parseCondition(condition: unknown): PolicyCondition {
  if (Array.isArray(condition)) return parseList(condition)
  if (typeof condition !== 'object' || condition === null) {
    throw invalid('Invalid condition test: must be a List or Object.')
  }
  const [property, ...others] = Object.entries(condition)
  if (property === undefined || others.length > 0) {
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.')
  }
  const [name, value] = property as [string, unknown]
  if (typeof value !== 'string') throw invalid('Invalid Simple-Condition: value must be a string.')
  return { type: 'eq', name, value }
}

function parseList([operation, ...operands]: readonly unknown[]): PolicyCondition {
  if (typeof operation !== 'string') throw invalid('Invalid Condition: missing operation identifier.')
  const type = operation.toLowerCase()
  if (type !== 'eq' && type !== 'starts-with' && type !== 'content-length-range') {
    throw invalid(`Invalid Condition: unknown operation '${operation.slice(0, 128)}'.`)
  }
  if (operands.length !== 2) throw invalid(`Invalid ${operation}: wrong number of arguments.`)
  const [first, second] = operands
  if (type === 'content-length-range') return { type, min: parseSize(first), max: parseSize(second) }
  if (typeof first !== 'string' || typeof second !== 'string' || !first.startsWith('$')) {
    throw invalid(`Invalid ${operation}: the arguments must be a $name and a string.`)
  }
  return { type, name: first.slice(1), value: second }
}

/** Some signers write the numbers as strings. */
function parseSize(value: unknown): number {
  const size = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid('Invalid content-length-range: the arguments must be numbers of bytes.')
  }
  return size
}

function invalid(detail: string): S3Error {
  return new S3Error('InvalidPolicyDocument', { message: `Invalid Policy: ${detail}` })
}
