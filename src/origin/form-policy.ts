import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Form } from './form.js'
import type { State } from './model.js'
import { invalidArgument, Refusal } from './refusal.js'

/**
 * Verifies who signed a form's policy, and holds the form against it.
 *
 * @throws Refusal
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export function checkPolicy({ fields, file }: Form, bucketName: string, region: string, state: State): void {
  if (!fields.has('policy')) throw new Refusal('AccessDenied')
  verifySignature(fields, region, state)
  const { expiration, conditions } = parse(fields.get('policy') ?? '')
  if (!(Date.parse(expiration) > state.now().getTime())) throw against('Policy expired.')
  const mentioned = new Set(['policy', 'signature', 'awsaccesskeyid', 'x-amz-signature'])
  for (const [operator, first, second] of conditions) {
    if (operator === 'content-length-range') {
      checkLength(file.length, Number(first), Number(second))
      continue
    }
    const name = String(first).slice(1).toLowerCase()
    mentioned.add(name)
    const value = name === 'bucket' ? bucketName : fields.get(name)
    if (value !== undefined && fulfils(operator, name, value, String(second))) continue
    throw against(`Policy Condition failed: ["${String(operator)}", "${String(first)}", "${String(second)}"]`)
  }
  for (const name of fields.keys()) {
    if (!mentioned.has(name) && !name.startsWith('x-ignore-')) throw against(`Extra input fields: ${name}`)
  }
}

type Condition = readonly [operator: unknown, first: unknown, second: unknown]

function parse(policy: string): { readonly expiration: string; readonly conditions: readonly Condition[] } {
  let document: { readonly expiration?: unknown; readonly conditions?: unknown }
  try {
    document = JSON.parse(Buffer.from(policy, 'base64').toString('utf8')) as typeof document
  } catch {
    throw badPolicy('Invalid JSON.')
  }
  if (typeof document.expiration !== 'string') throw badPolicy('Policy missing expiration.')
  if (!Array.isArray(document.conditions)) throw badPolicy('Policy missing conditions.')
  const conditions = document.conditions.map((condition: unknown): Condition => {
    if (Array.isArray(condition)) return condition as unknown as Condition
    const [pair, second] = Object.entries(condition as object)
    if (pair === undefined || second !== undefined) {
      throw badPolicy('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.')
    }
    return ['eq', `$${pair[0]}`, pair[1]]
  })
  return { expiration: document.expiration, conditions }
}

function fulfils(operator: unknown, name: string, value: string, wanted: string): boolean {
  if (operator === 'eq') return value === wanted
  if (operator !== 'starts-with') throw badPolicy(`Invalid Condition: unknown operation '${String(operator)}'.`)
  return (name === 'content-type' ? value.split(/,\s*/) : [value]).every((part) => part.startsWith(wanted))
}

function checkLength(size: number, min: number, max: number): void {
  if (size > max) {
    throw new Refusal('EntityTooLarge', { extra: { ProposedSize: String(size), MaxSizeAllowed: String(max) } })
  }
  if (size < min) {
    throw new Refusal('EntityTooSmall', { extra: { ProposedSize: String(size), MinSizeAllowed: String(min) } })
  }
}

function verifySignature(fields: ReadonlyMap<string, string>, region: string, state: State): void {
  const policy = fields.get('policy') ?? ''
  const version4 = fields.has('x-amz-algorithm') || fields.has('x-amz-signature')
  const credential = need(fields, version4 ? 'X-Amz-Credential' : 'AWSAccessKeyId')
  const [accessKeyId = '', date = '', signedRegion = ''] = credential.split('/')
  const credentials = state.credentials.get(accessKeyId)
  if (credentials === undefined) throw new Refusal('InvalidAccessKeyId', { extra: { AWSAccessKeyId: accessKeyId } })
  if ((fields.get('x-amz-security-token') ?? '') !== (credentials.sessionToken ?? '')) throw new Refusal('InvalidToken')
  let expected = createHmac('sha1', credentials.secretAccessKey).update(policy).digest('base64')
  if (version4) {
    if (!need(fields, 'X-Amz-Date').startsWith(date)) throw invalidArgument('X-Amz-Date', 'secret', 'Invalid date')
    if (signedRegion !== region) {
      const wrong = `the region '${signedRegion}' is wrong; expecting '${region}'`
      throw invalidArgument('X-Amz-Credential', credential, wrong)
    }
    let key: Buffer = Buffer.from(`AWS4${credentials.secretAccessKey}`)
    for (const part of [date, signedRegion, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
    expected = createHmac('sha256', key).update(policy).digest('hex')
  }
  const given = Buffer.from(need(fields, version4 ? 'X-Amz-Signature' : 'signature'))
  if (given.length === expected.length && timingSafeEqual(given, Buffer.from(expected))) return
  throw new Refusal('SignatureDoesNotMatch', { extra: { AWSAccessKeyId: accessKeyId, StringToSign: policy } })
}

function need(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name.toLowerCase())
  if (value !== undefined) return value
  throw missing(name)
}

export function missing(name: string): Refusal {
  const message = `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`
  return invalidArgument(name, '', message)
}

function against(detail: string): Refusal {
  return new Refusal('AccessDenied', { message: `Invalid according to Policy: ${detail}` })
}

function badPolicy(detail: string): Refusal {
  return new Refusal('InvalidPolicyDocument', { message: `Invalid Policy: ${detail}` })
}
