import { signByReference } from './reference-signer.js'
import { signHead, signRequest, type RequestToSign } from './sign.js'
import { SecretAccessKey } from './types.js'

const plain: RequestToSign = {
  method: 'GET',
  path: '/bucket/key',
  query: new Map(),
  headers: { host: 's3.test', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  credentials: { accessKeyId: 'AKID', secretAccessKey: new SecretAccessKey('secret'), sessionToken: 'none' },
  region: 'us-east-1',
  now: new Date('2026-11-26T00:00:00Z'),
}

/** A plain request, and one that has all at once what signers disagree on. */
const REQUESTS: readonly RequestToSign[] = [
  plain,
  {
    ...plain,
    method: 'PUT',
    path: '/bucket//a/../%C3%BC%20%2B%2A%25',
    query: new Map([
      ['uploadId', 'a+b/c=='],
      ['partNumber', '1'],
      ['acl', ''],
    ]),
    headers: {
      ...plain.headers,
      'x-amz-meta-b': ' w\xc3\xbcrfel  \t two ',
      'x-amz-meta-a': '\xc2\xa0',
      range: 'bytes=0-1',
      'content-type': 'text/plain',
      'user-agent': 'any',
    },
    credentials: { ...plain.credentials, sessionToken: new SecretAccessKey('token/+=') },
  },
]

/**
 * Whether our signer and the reference sign alike, in this process, with this runtime's cryptography.
 *
 * @throws Error where they do not: nothing may be signed then
 */
export function checkSigner(sign = signRequest, reference = signByReference, signLines = linesOf): void {
  for (const request of REQUESTS) {
    const [ours, theirs] = [sign(request), reference(request)]
    const same = ours.path === theirs.path && ours.headers['authorization'] === theirs.headers['authorization']
    const sent = signLines(request).endsWith(`\r\nauthorization: ${theirs.headers['authorization'] ?? 'none'}\r\n`)
    if (!same || !sent) throw new Error(`the signature of a ${request.method} is not the one that aws4 makes`)
  }
}

/** As they are sent. */
function linesOf(request: RequestToSign): string {
  const { host = '', ...others } = request.headers
  return signHead(new Map(Object.entries(others)), {}, host, request).lines()
}
