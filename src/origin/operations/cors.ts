import { emptyAnswer, xmlAnswer, type Answer, type BucketCall } from '../call.js'
import type { Fields } from '../../s3/fields.js'
import type { BucketState, CorsRule } from '../model.js'
import { Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { branch, childrenOf, document, leaf, textOf } from '../xml.js'

const METHODS = ['GET', 'PUT', 'HEAD', 'POST', 'DELETE']
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'

export function getBucketCors({ bucket }: BucketCall): Answer {
  if (bucket.cors.length === 0) throw new Refusal('NoSuchCORSConfiguration', { extra: { BucketName: bucket.name } })
  const rules = bucket.cors.map((rule) =>
    branch(
      'CORSRule',
      ...rule.methods.map((method) => leaf('AllowedMethod', method)),
      ...rule.origins.map((origin) => leaf('AllowedOrigin', origin)),
      ...rule.headers.map((name) => leaf('AllowedHeader', name)),
      ...rule.exposed.map((name) => leaf('ExposeHeader', name)),
      rule.maxAge === '' ? '' : leaf('MaxAgeSeconds', rule.maxAge),
    ),
  )
  return xmlAnswer(document('CORSConfiguration', ...rules))
}

/** @throws Refusal MalformedXML, InvalidRequest (a method that S3 has not) */
export async function putBucketCors(call: BucketCall): Promise<Answer> {
  const root = await readDocument(call, 'CORSConfiguration')
  const rules = childrenOf(root, 'CORSRule').map((rule): CorsRule => {
    const texts = (name: string) => childrenOf(rule, name).map(({ text }) => text)
    return {
      methods: texts('AllowedMethod'),
      origins: texts('AllowedOrigin'),
      headers: texts('AllowedHeader'),
      exposed: texts('ExposeHeader'),
      maxAge: textOf(rule, 'MaxAgeSeconds'),
    }
  })
  if (rules.length === 0 || rules.some(({ methods, origins }) => methods.length === 0 || origins.length === 0)) {
    throw new Refusal('MalformedXML')
  }
  const odd = rules.flatMap(({ methods }) => methods).find((method) => !METHODS.includes(method))
  if (odd !== undefined) {
    throw new Refusal('InvalidRequest', {
      message: `Found unsupported HTTP method in CORS config. Unsupported method is ${odd}`,
    })
  }
  call.bucket.cors = rules
  return emptyAnswer(200)
}

export function deleteBucketCors({ bucket }: BucketCall): Answer {
  bucket.cors = []
  return emptyAnswer(204)
}

/**
 * The answer to a preflight, which has no credentials and needs none.
 *
 * @throws Refusal BadRequest, AccessForbidden
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
 */
export function preflight(bucket: BucketState | undefined, fields: Fields, resourceType: string): Answer {
  const origin = fields.get('origin')
  if (origin === undefined) {
    throw new Refusal('BadRequest', { message: 'Insufficient information. Origin request header needed.' })
  }
  const method = fields.get('access-control-request-method') ?? 'null'
  if (!METHODS.includes(method)) {
    throw new Refusal('BadRequest', { message: `Invalid Access-Control-Request-Method: ${method.slice(0, 40)}` })
  }
  const extra = { Method: method, ResourceType: resourceType }
  if (bucket === undefined || bucket.cors.length === 0) {
    const message = `CORSResponse: ${bucket === undefined ? 'Bucket not found' : 'CORS is not enabled for this bucket.'}`
    throw new Refusal('AccessForbidden', { message, extra })
  }
  const asked = (fields.get('access-control-request-headers') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  const rule = bucket.cors.find(
    (each) =>
      each.methods.includes(method) &&
      each.origins.some((pattern) => fitsPattern(pattern, origin)) &&
      asked.every((name) => each.headers.some((pattern) => fitsPattern(pattern.toLowerCase(), name))),
  )
  if (rule === undefined) {
    throw new Refusal('AccessForbidden', {
      message:
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      extra,
    })
  }
  return emptyAnswer(200, {
    ...allowed(rule, origin),
    ...(asked.length === 0 ? {} : { 'access-control-allow-headers': asked.join(', ') }),
  })
}

/** What an answer to a request with an Origin says beside itself. */
export function corsHeaders(bucket: BucketState, method: string, fields: Fields): Record<string, string> {
  const origin = fields.get('origin')
  const rule = bucket.cors.find(
    ({ methods, origins }) =>
      origin !== undefined && methods.includes(method) && origins.some((pattern) => fitsPattern(pattern, origin)),
  )
  return rule === undefined || origin === undefined ? {} : allowed(rule, origin)
}

function allowed(rule: CorsRule, origin: string): Record<string, string> {
  const any = rule.origins.includes('*')
  return {
    'access-control-allow-origin': any ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(any ? {} : { 'access-control-allow-credentials': 'true' }),
    ...(rule.exposed.length === 0 ? {} : { 'access-control-expose-headers': rule.exposed.join(', ') }),
    ...(rule.maxAge === '' ? {} : { 'access-control-max-age': rule.maxAge }),
    vary: VARY,
  }
}

/** At most one `*` stands for any run of characters. */
function fitsPattern(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === text
  const end = pattern.slice(star + 1)
  return text.length >= pattern.length - 1 && text.startsWith(pattern.slice(0, star)) && text.endsWith(end)
}
