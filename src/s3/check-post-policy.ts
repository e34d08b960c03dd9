import { S3Error } from './error.js'
import type { PolicyCondition, PostPolicy } from './post-policy.js'

/** How long a form's file may be, in bytes, both inclusive. */
export interface LengthRange {
  readonly min: number
  readonly max: number
}

/** S3's largest object that one request can make. */
const MAX_OBJECT_BYTES = 5 * 1024 ** 3

/** Fields that no condition need name: what proves the policy, and the file itself. */
const EXEMPT = new Set(['awsaccesskeyid', 'signature', 'x-amz-signature', 'policy', 'file'])

/** What a policy may hold and no error may repeat: it goes to the log, too. */
const SECRET = /-customer-key$|^x-amz-security-token$/

export const ANY_LENGTH: LengthRange = { min: 0, max: MAX_OBJECT_BYTES }

/**
 * Whether the policy allows this form now: not expired, every condition met, every field named by one, but for those
 * that S3 exempts.
 *
 * @param fields by lower-case name, with `${filename}` expanded: conditions see the result
 * @param bucket that the form is sent to; `$bucket` means it, whatever a field of that name says
 * @param lifetimeMs how far ahead the policy's end may lie
 * @returns the range that the file's length must be in; it is for who counts the bytes to check
 * @throws S3Error AccessDenied `Invalid according to Policy: …`
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export function checkPostPolicy(
  policy: PostPolicy,
  fields: ReadonlyMap<string, string>,
  bucket: string,
  now: Date,
  lifetimeMs = Infinity,
): LengthRange {
  const left = policy.expiration.getTime() - now.getTime()
  if (left <= 0) throw denied('Policy expired.')
  if (left > lifetimeMs) {
    throw new S3Error('AccessDenied', {
      message: `Access Denied. The policy's expiration may be at most ${lifetimeMs / 1000} seconds from now.`,
      cause: 'a version-2 policy that lives longer than presignedV2Lifetime',
    })
  }
  const named = new Set<string>()
  let { min, max } = ANY_LENGTH
  for (const condition of policy.conditions) {
    if (condition.type === 'content-length-range') {
      min = Math.max(min, condition.min)
      max = Math.min(max, condition.max)
      continue
    }
    const name = condition.name.toLowerCase()
    named.add(name)
    const value = name === 'bucket' ? bucket : fields.get(name)
    if (value === undefined || !meets(condition, name, value)) {
      const shown = SECRET.test(name) ? '[secret]' : condition.value
      throw denied(
        `Policy Condition failed: ${JSON.stringify([condition.type, `$${condition.name}`, shown]).replaceAll('","', '", "')}`,
      )
    }
  }
  const extra = [...fields.keys()].filter(
    (name) => !named.has(name) && !EXEMPT.has(name) && !name.startsWith('x-ignore-'),
  )
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ').slice(0, 512)}`)
  return { min, max }
}

/** Content-Type may be a list, of which each part must begin so. */
function meets({ type, value: wanted }: Exclude<PolicyCondition, LengthRange>, name: string, value: string): boolean {
  if (type === 'eq') return value === wanted
  const values = name === 'content-type' ? value.split(',').map((part) => part.trim()) : [value]
  return values.every((part) => part.startsWith(wanted))
}

function denied(detail: string): S3Error {
  return new S3Error('AccessDenied', { message: `Invalid according to Policy: ${detail}` })
}
