import { createHmac } from 'node:crypto'

export interface ToSign {
  readonly method: string
  /** Encoded path as it goes on the wire, with the bucket in front in virtual-hosted style. */
  readonly resource: string
  /** Query parameters that are sent, decoded; the signer picks those that are signed. */
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** The parameters that the tests sign: the documented ones, and `delete`. */
const SIGNED = [
  ...['acl', 'delete', 'lifecycle', 'location', 'logging', 'notification', 'partNumber', 'policy', 'requestPayment'],
  ...['response-content-type', 'response-content-disposition', 'tagging', 'torrent'],
  ...['uploadId', 'uploads', 'versionId', 'versioning', 'versions', 'website'],
]

/** `AWS AKID:signature` for a request with a Date or x-amz-date among its headers. The tests' own signer. */
export function version2Header(request: ToSign): string {
  const field = lowerCase(request.headers)
  const date = field['x-amz-date'] === undefined ? (field['date'] ?? '') : ''
  return `AWS ${request.accessKeyId}:${signature(request, date)}`
}

/** The query of a presigned request, the given parameters among it. `expires` in seconds since 1970. */
export function version2Query(request: ToSign, expires: number): Record<string, string> {
  return {
    ...request.query,
    AWSAccessKeyId: request.accessKeyId,
    Expires: String(expires),
    Signature: signature(request, String(expires)),
  }
}

function signature({ method, resource, query, headers, secretAccessKey }: ToSign, date: string): string {
  const field = lowerCase(headers)
  const amz = Object.keys(field)
    .filter((name) => name.startsWith('x-amz-'))
    .sort()
  const signed = SIGNED.filter((name) => name in query).sort()
  const parameters = signed.map((name) => (query[name] === '' ? name : `${name}=${query[name]}`)).join('&')
  const text = [
    method,
    field['content-md5'] ?? '',
    field['content-type'] ?? '',
    date,
    ...amz.map((name) => `${name}:${field[name]}`),
    parameters === '' ? resource : `${resource}?${parameters}`,
  ].join('\n')
  return createHmac('sha1', secretAccessKey).update(text).digest('base64')
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
