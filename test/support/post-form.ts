import { createHmac } from 'node:crypto'

/** One part of a form, in the order in which it is sent. */
export interface FormPart {
  readonly name: string
  readonly value: string | Buffer
  readonly filename?: string
  /** Content-Type of the part. */
  readonly type?: string
}

export type PolicyCondition = Readonly<Record<string, unknown>> | readonly unknown[]

export interface SignedForm {
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly bucket: string
  /** Fields that the signer adds to its own, each with an exact condition. */
  readonly fields: Readonly<Record<string, string>>
  /** Further conditions. */
  readonly conditions?: readonly PolicyCondition[]
  /** Fields that get no condition. */
  readonly uncovered?: readonly string[]
  readonly region?: string
  readonly now?: Date
  /** milliseconds that the policy is valid for; default an hour */
  readonly validFor?: number
  /** Replaces the whole policy document. */
  readonly document?: string
}

export const BOUNDARY = '----formboundary7MA4YWxkTrZu0gW'

/** multipart/form-data as browsers write it (RFC 7578): CRLF everywhere, the last boundary with CRLF behind it. */
export function encodeForm(parts: readonly FormPart[], boundary = BOUNDARY): Buffer {
  const chunks: Buffer[] = []
  for (const { name, value, filename, type } of parts) {
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const kind = type === undefined ? '' : `Content-Type: ${type}\r\n`
    chunks.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${kind}\r\n`),
      Buffer.from(value as string),
      Buffer.from('\r\n'),
    )
  }
  return Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)])
}

export const formType = (boundary = BOUNDARY): string => `multipart/form-data; boundary=${boundary}`

/** A file's part; the last of a form. */
export const filePart = (
  value: string | Buffer,
  filename = 'file.bin',
  type = 'application/octet-stream',
): FormPart => ({
  name: 'file',
  value,
  filename,
  type,
})

/** All fields as parts, in their order. */
export const fieldParts = (fields: Readonly<Record<string, string>>): readonly FormPart[] =>
  Object.entries(fields).map(([name, value]) => ({ name, value }))

/**
 * The fields of a form with a V4 policy, written from the documentation alone.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html
 */
export function v4Form(form: SignedForm): Record<string, string> {
  const { credentials, region = 'us-east-1', now = new Date() } = form
  const stamp = now.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = stamp.slice(0, 8)
  const fields = {
    ...form.fields,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${credentials.accessKeyId}/${date}/${region}/s3/aws4_request`,
    'x-amz-date': stamp,
  }
  const policy = policyOf(form, fields)
  const signingKey = [date, region, 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  )
  return { ...fields, policy, 'x-amz-signature': createHmac('sha256', signingKey).update(policy).digest('hex') }
}

/**
 * The fields of a form with a V2 policy.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/HTTPPOSTForms.html
 */
export function v2Form(form: SignedForm): Record<string, string> {
  const { credentials } = form
  const policy = policyOf(form, form.fields)
  const signature = createHmac('sha1', credentials.secretAccessKey).update(policy).digest('base64')
  return { ...form.fields, AWSAccessKeyId: credentials.accessKeyId, policy, signature }
}

function policyOf(form: SignedForm, fields: Readonly<Record<string, string>>): string {
  const { now = new Date(), validFor = 3_600_000, conditions = [], uncovered = [] } = form
  const covered = Object.entries(fields).filter(([name]) => !uncovered.includes(name))
  const document =
    form.document ??
    JSON.stringify({
      expiration: new Date(now.getTime() + validFor).toISOString(),
      conditions: [{ bucket: form.bucket }, ...covered.map(([name, value]) => ({ [name]: value })), ...conditions],
    })
  return Buffer.from(document).toString('base64')
}
