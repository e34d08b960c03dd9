import { createHash } from 'node:crypto'

/*
 * Bucket policies that make S3 itself say no, whoever asks and by whichever way: to uploads without a customer key
 * (`require`), or with one (`restrict`).
 *
 * Every step of a multipart upload is held to them, CompleteMultipartUpload too, which therefore has to carry the
 * customer key; S3 asks for `s3:PutObject` in each.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */

export type PolicyKind = 'require' | 'restrict'

export interface PolicyScope {
  readonly bucket: string
  /** Object keys that start with this; `''` is all. */
  readonly prefix: string
  /** An ARN, or everybody. */
  readonly principal: string | 'everybody'
  /** `aws`, `aws-cn`, `aws-us-gov` … */
  readonly partition: string
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** A policy document as S3 keeps it; only what is looked at has a name here. */
export interface BucketPolicy {
  readonly [name: string]: Json
  readonly Statement: readonly PolicyStatement[]
}

export type PolicyStatement = Readonly<Record<string, Json>>

const ALGORITHM = 's3:x-amz-server-side-encryption-customer-algorithm'
const SIDS: Readonly<Record<PolicyKind, string>> = {
  require: 'SsecProxyRequireSSECUploads',
  restrict: 'SsecProxyRestrictSSECUploads',
}

/** Two statements of one policy cannot have one name: those about a part of the bucket, or one principal, have their own. */
function sidOf(kind: PolicyKind, { prefix, principal }: PolicyScope): string {
  if (prefix === '' && principal === 'everybody') return SIDS[kind]
  const part = createHash('sha256').update(`${principal}\0${prefix}`, 'utf8').digest('hex').slice(0, 8)
  return `${SIDS[kind]}${part}`
}

/** The one statement that denies uploads without (`require`) or with (`restrict`) a customer key. */
export function policyStatement(kind: PolicyKind, scope: PolicyScope) {
  const { bucket, prefix, principal, partition } = scope
  return {
    Sid: sidOf(kind, scope),
    Effect: 'Deny',
    Principal: principal === 'everybody' ? '*' : { AWS: principal },
    Action: 's3:PutObject',
    Resource: `arn:${partition}:s3:::${bucket}/${literal(prefix)}*`,
    Condition: { Null: { [ALGORITHM]: kind === 'require' ? 'true' : 'false' } },
  } as const satisfies PolicyStatement
}

/** A policy of that statement alone. */
export function policyOf(kind: PolicyKind, scope: PolicyScope): BucketPolicy {
  return { Version: '2012-10-17', Statement: [policyStatement(kind, scope)] }
}

/**
 * A bucket's policy with the statement in it: in the place of the one of its name, or at the end. Every other statement stays
 * as it is, ours about other prefixes and principals too, so that doing it twice changes nothing the second time.
 */
export function withStatement(policy: BucketPolicy | 'none', kind: PolicyKind, scope: PolicyScope): BucketPolicy {
  if (policy === 'none') return policyOf(kind, scope)
  const statement: PolicyStatement = policyStatement(kind, scope)
  const statements = policy.Statement
  const at = statements.findIndex(({ Sid }) => Sid === statement['Sid'])
  return { ...policy, Statement: at < 0 ? [...statements, statement] : statements.with(at, statement) }
}

/** A policy document; `unreadable` where it is none. A single statement may stand without brackets. */
export function parseBucketPolicy(text: string): BucketPolicy | 'unreadable' {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return 'unreadable'
  }
  if (!isObject(document)) return 'unreadable'
  const { Statement } = document
  const statements: readonly Json[] = isArray(Statement) ? Statement : Statement === undefined ? [] : [Statement]
  if (!statements.every(isObject)) return 'unreadable'
  return { ...document, Statement: statements }
}

/** What a policy means for uploads under customer keys, one for each statement that has a say. */
export interface PolicyFinding {
  /**
   * `requires`: denies uploads without a customer key. `restricts`: denies those with one. `wants-other`: denies uploads
   * that do not name SSE-S3 or SSE-KMS in a header, which no upload under a customer key can.
   */
  readonly type: 'requires' | 'restricts' | 'wants-other'
  readonly statement: PolicyStatement
}

/** The statements of a policy that decide about encryption of uploads. */
export function findingsOf(policy: BucketPolicy): readonly PolicyFinding[] {
  return policy.Statement.flatMap((statement): PolicyFinding[] => {
    if (statement['Effect'] !== 'Deny' || !covers(statement['Action'])) return []
    const type = typeOf(statement['Condition'])
    return type === 'none' ? [] : [{ type, statement }]
  })
}

/** Whether a statement is about everybody and every object of the bucket, on its one condition alone. */
export function isForAll({ Principal, Resource, Condition }: PolicyStatement, bucket: string): boolean {
  const all = isObject(Principal) ? Principal['AWS'] : Principal
  const objects = new RegExp(`^arn:[a-z-]+:s3:::(?:${bucket.replaceAll('.', '\\.')}/)?\\*$`)
  return (
    listOf(all).includes('*') &&
    listOf(Resource).some((one) => one === '*' || (typeof one === 'string' && objects.test(one))) &&
    isObject(Condition) &&
    Object.values(Condition).flatMap((operands) => (isObject(operands) ? Object.keys(operands) : ['other'])).length ===
      1
  )
}

const MANAGED = 's3:x-amz-server-side-encryption'

function typeOf(condition: Json | undefined): PolicyFinding['type'] | 'none' {
  if (!isObject(condition)) return 'none'
  for (const [operator, operands] of Object.entries(condition)) {
    if (!isObject(operands)) continue
    for (const [name, value] of Object.entries(operands)) {
      const key = name.toLowerCase()
      const isNull = operator.toLowerCase() === 'null'
      if (key === ALGORITHM) {
        if (isNull) return isTrue(value) ? 'requires' : 'restricts'
        return /^(?:ForAnyValue:|ForAllValues:)?StringNot/i.test(operator) ? 'requires' : 'restricts'
      }
      if (key === MANAGED && (isNull || /StringNot/i.test(operator))) {
        if (!isNull || isTrue(value)) return 'wants-other'
      }
    }
  }
  return 'none'
}

const isTrue = (value: Json): boolean => listOf(value).some((one) => one === true || one === 'true')

/** Whether the actions of a statement have s3:PutObject among them. */
function covers(action: Json | undefined): boolean {
  return listOf(action).some((one) => typeof one === 'string' && globOf(one.toLowerCase()).test('s3:putobject'))
}

/** `*` and `?` of a policy as a regular expression; everything else is itself. */
const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )

const listOf = (value: Json | undefined): readonly Json[] =>
  isArray(value) ? value : value === undefined ? [] : [value]

/** In a resource `*`, `?` and `$` have meanings of their own; `${*}` stands for the letter. */
const literal = (text: string): string => text.replace(/[*?$]/g, (one) => `\${${one}}`)

function isObject(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

/**
 * Whether two policies say the same: stores give some fields back in other forms (a text as a list of one, the principal `*` as
 * `{"AWS": ["*"]}`), and in another order.
 */
export function isSamePolicy(one: BucketPolicy | 'none', other: BucketPolicy | 'none'): boolean {
  if (one === 'none' || other === 'none') return one === other
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
}

function canonical(value: Json, name = ''): Json {
  if (name === 'Principal' && value === '*') return canonical({ AWS: '*' })
  if (isArray(value)) {
    if (name === 'Statement') return value.map((one) => canonical(one))
    return value
      .flatMap((one) => canonical(one, name))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (isObject(value)) {
    const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(fields.map(([key, field]) => [key, canonical(field, key)]))
  }
  return LITERAL.includes(name) ? value : [String(value)]
}

/** Of all others, a text and a list of that text are the same. */
const LITERAL = ['Version', 'Id', 'Sid', 'Effect']
