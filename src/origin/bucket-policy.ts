import type { Call } from './call.js'
import type { BucketState } from './model.js'
import { Refusal } from './refusal.js'

/*
 * What an explicit Deny of a bucket policy stops. The one account owns everything, so an Allow changes nothing here. A
 * condition or element that is not modelled is refused when the policy is set: it must not be passed over in silence.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */

export interface Deny {
  readonly principals: readonly string[]
  readonly actions: readonly RegExp[]
  readonly resources: readonly RegExp[]
  readonly conditions: readonly Condition[]
}

interface Condition {
  readonly operator: 'Null' | 'StringEquals' | 'StringNotEquals' | 'Bool'
  readonly key: string
  readonly values: readonly string[]
}

/** The policy of a bucket: as it was given, and what it stops. */
export interface Policy {
  readonly text: string
  readonly denies: readonly Deny[]
}

export const ACCOUNT = '123456789012'

/** Condition key → what a request has for it; `undefined` where it has nothing. */
const KEYS: Readonly<Record<string, (call: Pick<Call, 'fields' | 'secure'>) => string | undefined>> = {
  's3:x-amz-server-side-encryption-customer-algorithm': ({ fields }) =>
    fields.get('x-amz-server-side-encryption-customer-algorithm'),
  's3:x-amz-server-side-encryption': ({ fields }) => fields.get('x-amz-server-side-encryption'),
  'aws:securetransport': ({ secure }) => String(secure),
}

const OPERATORS: readonly string[] = ['Null', 'StringEquals', 'StringNotEquals', 'Bool']

/** @throws Refusal MalformedPolicy, NotImplemented */
export function readPolicy(text: string, bucketName: string): Policy {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw new Refusal('MalformedPolicy', { message: "Policies must be valid JSON and the first byte must be '{'" })
  }
  const { Statement: given } = record(document)
  const statements = given === undefined ? [] : Array.isArray(given) ? given : [given]
  if (statements.length === 0) throw new Refusal('MalformedPolicy', { message: 'Missing required field Statement' })
  const read = statements.map((one) => readStatement(record(one), bucketName))
  return { text, denies: read.flatMap((deny) => (deny === 'allow' ? [] : [deny])) }
}

function readStatement(statement: Readonly<Record<string, unknown>>, bucketName: string): Deny | 'allow' {
  const { Effect, Principal, Action, Resource, Condition } = statement
  for (const name of ['NotPrincipal', 'NotAction', 'NotResource']) if (name in statement) throw notModelled(name)
  if (Effect !== 'Allow' && Effect !== 'Deny') throw new Refusal('MalformedPolicy', { message: 'Invalid effect' })
  const principals = Principal === '*' ? ['*'] : texts(record(Principal)['AWS'], 'principal')
  const resources = texts(Resource, 'resource')
  const own = `arn:aws:s3:::${bucketName}`
  if (!resources.every((one) => one === own || one.startsWith(`${own}/`)))
    throw new Refusal('MalformedPolicy', { message: 'Policy has invalid resource' })
  const deny = {
    principals,
    actions: texts(Action, 'action').map((one) => glob(one.toLowerCase())),
    resources: resources.map(glob),
    conditions: conditionsOf(Condition),
  }
  return Effect === 'Deny' ? deny : 'allow'
}

function conditionsOf(given: unknown): readonly Condition[] {
  if (given === undefined) return []
  return Object.entries(record(given)).flatMap(([operator, operands]) =>
    Object.entries(record(operands)).map(([name, values]) => {
      const key = name.toLowerCase()
      if (!OPERATORS.includes(operator) || !(key in KEYS)) throw notModelled(`${operator} ${name}`)
      return { operator: operator as Condition['operator'], key, values: texts(values, 'condition') }
    }),
  )
}

/**
 * Refuses what a Deny of the bucket's policy covers.
 *
 * @param resource the object key, or `none` for the bucket itself
 * @throws Refusal AccessDenied
 */
export function checkBucketPolicy(
  call: Pick<Call, 'fields' | 'secure' | 'accessKeyId'>,
  bucket: Pick<BucketState, 'name' | 'policy'>,
  action: string,
  objectKey: string | 'none',
): void {
  if (bucket.policy === 'none') return
  const arn = `arn:aws:s3:::${bucket.name}${objectKey === 'none' ? '' : `/${objectKey}`}`
  const principal = `arn:aws:iam::${ACCOUNT}:user/${call.accessKeyId}`
  const isDenied = bucket.policy.denies.some(
    ({ principals, actions, resources, conditions }) =>
      (principals.includes('*') || principals.includes(principal)) &&
      actions.some((one) => one.test(action.toLowerCase())) &&
      resources.some((one) => one.test(arn)) &&
      conditions.every((condition) => holds(condition, call)),
  )
  if (!isDenied) return
  throw new Refusal('AccessDenied', {
    message: `User: ${principal} is not authorized to perform: ${action} on resource: "${arn}" with an explicit deny in a resource-based policy`,
  })
}

/** Of a write in S3's sense; what other operations are called is their own name. */
const ACTIONS: Readonly<Record<string, string>> = {
  CopyObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  UploadPartCopy: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  HeadObject: 's3:GetObject',
  GetObjectAttributes: 's3:GetObject',
  SelectObjectContent: 's3:GetObject',
  HeadBucket: 's3:ListBucket',
  ListObjects: 's3:ListBucket',
  ListObjectsV2: 's3:ListBucket',
  ListObjectVersions: 's3:ListBucketVersions',
}

/** The permission that an operation needs, as far as policies here can tell operations apart. */
export const actionOf = (operation: string): string => ACTIONS[operation] ?? `s3:${operation}`

function holds({ operator, key, values }: Condition, call: Pick<Call, 'fields' | 'secure'>): boolean {
  const value = KEYS[key]?.(call)
  switch (operator) {
    case 'Null':
      return values.includes(String(value === undefined))
    case 'StringEquals':
      return value !== undefined && values.includes(value)
    // a request without the key is not equal either
    case 'StringNotEquals':
      return value === undefined || !values.includes(value)
    case 'Bool':
      return value !== undefined && values.includes(value)
  }
}

/** `${*}`, `${?}` and `${$}` stand for the letters. */
const glob = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replace(/\$\{([*?$])\}|[\s\S]/g, (one, letter: string | undefined) =>
      letter !== undefined ? escaped(letter) : one === '*' ? '[\\s\\S]*' : one === '?' ? '[\\s\\S]' : escaped(one),
    )}$`,
  )

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

function texts(value: unknown, what: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || !list.every((one) => typeof one === 'string' || typeof one === 'boolean'))
    throw new Refusal('MalformedPolicy', { message: `Policy has invalid ${what}` })
  return list.map(String)
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new Refusal('MalformedPolicy', { message: 'This policy contains invalid Json' })
}

const notModelled = (what: string): Refusal =>
  new Refusal('NotImplemented', { message: `${what} in a bucket policy is not built in this origin` })
