import { elementText, type RawResponse } from '../support/raw-client.js'
import {
  encodeForm,
  fieldParts,
  filePart,
  formType,
  v2Form,
  v4Form,
  type FormPart,
  type PolicyCondition,
} from '../support/post-form.js'
import { customerKey, keyHeaders, on, say, sayAtRest, sayProof, type Case, type Context } from './case.js'

const CONTENT = 'content of the file\r\n--not the boundary\r\n'

interface Form {
  readonly fields?: Readonly<Record<string, string>>
  readonly conditions?: readonly PolicyCondition[]
  readonly uncovered?: readonly string[]
  readonly validFor?: number
  readonly document?: string
  readonly version?: 'v2' | 'v4'
  readonly secretAccessKey?: string
  /** Changes the signed fields. */
  readonly spoil?: (fields: Record<string, string>) => Record<string, string>
  /** What follows the fields; default the file. */
  readonly rest?: readonly FormPart[]
  /** Changes the encoded form. */
  readonly wire?: (form: Buffer) => Buffer
  /** That the policy is for; default the one that the form is sent to. */
  readonly bucket?: string
}

const sameFields = (fields: Record<string, string>): Record<string, string> => fields
const sameBytes = (form: Buffer): Buffer => form

/** Posts a form on this case's object; it is signed well and covers all its fields, but for what `form` says. */
function post(context: Context, form: Form = {}): Promise<RawResponse> {
  const { server, objectKey } = context
  const { fields = {}, spoil = sameFields, rest = [filePart(CONTENT)], wire = sameBytes } = form
  const credentials = { ...server.credentials }
  if (form.secretAccessKey !== undefined) credentials.secretAccessKey = form.secretAccessKey
  const sign = form.version === 'v2' ? v2Form : v4Form
  const signed = sign({
    credentials,
    bucket: form.bucket ?? context.bucket,
    region: server.region,
    fields: { key: objectKey, ...fields },
    conditions: form.conditions ?? [],
    uncovered: form.uncovered ?? [],
    ...(form.validFor === undefined ? {} : { validFor: form.validFor }),
    ...(form.document === undefined ? {} : { document: form.document }),
  })
  return context.raw.send({
    method: 'POST',
    path: `/${context.bucket}`,
    anonymous: true,
    headers: { 'content-type': formType() },
    body: wire(encodeForm([...fieldParts(spoil({ ...signed })), ...rest])),
  })
}

/** Posts with a customer key; says the answer, what it proves, and how the object is at rest. */
const withKey =
  (form: Form = {}, content = CONTENT) =>
  async (context: Context) => {
    const key = customerKey()
    const answer = await post(context, { ...form, fields: { ...keyHeaders(key), ...form.fields } })
    return `${sayProof(answer, key)}, ${await sayAtRest(context, content)}`
  }

const plain =
  (form: Form = {}, content = CONTENT) =>
  async (context: Context) => {
    const answer = await post(context, form)
    return `${neutral(say(answer), context)}, ${await sayAtRest(context, content)}`
  }

function neutral(text: string, { bucket, objectKey }: Context): string {
  return text.replaceAll(objectKey, '(key)').replaceAll(bucket, '(bucket)')
}

export const FORMS: readonly Case[] = [
  { name: 'PostObject, V4 policy', run: plain() },
  { name: 'PostObject, V2 policy', run: plain({ version: 'v2' }) },
  { name: 'PostObject with a customer key', run: withKey() },
  { name: 'PostObject with a customer key, V2 policy', run: withKey({ version: 'v2' }) },
  { name: 'PostObject with a customer key, status 200', run: withKey({ fields: { success_action_status: '200' } }) },
  { name: 'PostObject with a customer key, status 201', run: withKey({ fields: { success_action_status: '201' } }) },
  {
    name: 'PostObject with a customer key and a redirect',
    run: withKey({ fields: { success_action_redirect: 'http://localhost/done?a=b' } }),
  },
  {
    name: 'PostObject, status 201: the document',
    run: async (context) => {
      const key = customerKey()
      const answer = await post(context, { fields: { ...keyHeaders(key), success_action_status: '201' } })
      const text = answer.body.toString()
      const head = await on(context, 'HEAD', { headers: keyHeaders(key) })
      const etag = elementText(text, 'ETag')
      const shown = etag === '' ? 'none' : etag === head.headers['etag'] ? 'as in HEAD' : 'another'
      const header = answer.headers['etag']
      const inHeader = header === undefined ? 'none' : header === head.headers['etag'] ? 'as in HEAD' : 'another'
      const location = answer.headers['location'] === undefined ? 'no Location' : 'a Location'
      const names = ['Bucket', 'Key'].map((name) => neutral(elementText(text, name), context))
      return `${answer.status} ${names.join(' ')}, ETag ${shown}, header ETag ${inHeader}, ${location}`
    },
  },
  {
    name: 'PostObject, no status asked: the answer',
    run: async (context) => {
      const key = customerKey()
      const answer = await post(context, { fields: keyHeaders(key) })
      const head = await on(context, 'HEAD', { headers: keyHeaders(key) })
      const header = answer.headers['etag']
      const inHeader = header === undefined ? 'none' : header === head.headers['etag'] ? 'as in HEAD' : 'another'
      const location = answer.headers['location'] === undefined ? 'no Location' : 'a Location'
      return `${answer.status}, ${answer.body.length} bytes, header ETag ${inHeader}, ${location}`
    },
  },
  {
    name: 'PostObject, redirect: where to',
    run: async (context) => {
      const answer = await post(context, { fields: { success_action_redirect: 'http://localhost/done?a=b' } })
      const location = (answer.headers['location'] ?? 'none').replace(/%22[0-9a-f]{32}%22/, '(etag)')
      return `${answer.status} ${neutral(location, context)}`
    },
  },
  {
    name: 'PostObject, metadata and content type',
    run: async (context) => {
      await post(context, {
        fields: { 'Content-Type': 'text/x-test', 'x-amz-meta-Colour': 'blue', 'Cache-Control': 'no-store' },
      })
      const { headers } = await on(context, 'HEAD')
      return `${headers['content-type'] ?? ''} ${headers['x-amz-meta-colour'] ?? ''} ${headers['cache-control'] ?? ''}`
    },
  },
  {
    name: 'PostObject, content type of the part alone',
    run: async (context) => {
      await post(context, { rest: [filePart(CONTENT, 'a.txt', 'text/x-part')] })
      return (await on(context, 'HEAD')).headers['content-type'] ?? 'none'
    },
  },
  {
    name: 'PostObject, ${filename}',
    run: async (context) => {
      const answer = await post(context, {
        fields: { key: `${context.objectKey}-\${filename}` },
        uncovered: ['key'],
        conditions: [['starts-with', '$key', context.objectKey]],
        rest: [filePart(CONTENT, 'C:\\dir\\a b.txt')],
      })
      const head = await on(context, 'HEAD', { objectKey: `${context.objectKey}-a%20b.txt` })
      return `${say(answer)}, ${head.status}`
    },
  },
  {
    name: 'PostObject with SSE-C over plain http',
    run: async (context) => {
      const fields = v4Form({
        credentials: context.server.credentials,
        bucket: context.bucket,
        region: context.server.region,
        fields: { key: context.objectKey, ...keyHeaders(customerKey()) },
      })
      const answer = await context.raw.send({
        method: 'POST',
        path: `/${context.bucket}`,
        anonymous: true,
        plain: true,
        headers: { 'content-type': formType() },
        body: encodeForm([...fieldParts(fields), filePart(CONTENT)]),
      })
      return `${say(answer)}, ${await sayAtRest(context, CONTENT)}`
    },
  },
  {
    name: 'PostObject, wrong MD5 of the key',
    run: async (context) => {
      const answer = await post(context, {
        fields: { ...keyHeaders(customerKey()), 'x-amz-server-side-encryption-customer-key-md5': customerKey().md5 },
      })
      return `${neutral(say(answer), context)}, ${await sayAtRest(context, CONTENT)}`
    },
  },
  {
    name: 'PostObject, key under a starts-with condition',
    run: withKey({
      uncovered: ['x-amz-server-side-encryption-customer-key'],
      conditions: [['starts-with', '$x-amz-server-side-encryption-customer-key', '']],
    }),
  },
  {
    name: 'PostObject, key and MD5 not in the policy',
    run: async (context) => {
      const fields = keyHeaders(customerKey())
      const answer = await post(context, { fields, uncovered: Object.keys(fields) })
      return `${neutral(say(answer), context).replace(/Extra input fields: .*?(?=,|$)/, 'Extra input fields: …')}, ${await sayAtRest(context, CONTENT)}`
    },
  },
  { name: 'PostObject, a policy that is no JSON', run: plain({ document: 'x' }) },
  {
    name: 'PostObject, white space around the object key',
    run: async (context) => {
      const answer = await post(context, { fields: { key: ` ${context.objectKey} ` } })
      const as = await on(context, 'HEAD', { objectKey: `%20${context.objectKey}%20` })
      const trimmed = await on(context, 'HEAD')
      return `${answer.status}, as it is ${as.status}, without it ${trimmed.status}`
    },
  },
  { name: 'PostObject, another secret', run: plain({ secretAccessKey: 'another secret' }) },
  { name: 'PostObject, expired policy', run: plain({ validFor: -1000 }) },
  {
    name: 'PostObject, a field that the policy does not name',
    run: plain({ fields: { 'x-amz-meta-a': 'b' }, uncovered: ['x-amz-meta-a'] }),
  },
  { name: 'PostObject, an ignored field', run: plain({ fields: { 'x-ignore-a': 'b' }, uncovered: ['x-ignore-a'] }) },
  { name: 'PostObject, another bucket in the policy', run: plain({ bucket: 'another-bucket' }) },
  {
    name: 'PostObject, a condition that fails',
    run: plain({ fields: { 'x-amz-meta-a': 'b' }, conditions: [['starts-with', '$x-amz-meta-a', 'c']] }),
  },
  { name: 'PostObject, too long', run: plain({ conditions: [['content-length-range', 0, 10]] }) },
  { name: 'PostObject, too short', run: plain({ conditions: [['content-length-range', 1000, 2000]] }) },
  { name: 'PostObject, length in range', run: plain({ conditions: [['content-length-range', 1, 2000]] }) },
  {
    name: 'PostObject without key',
    run: plain({ spoil: (fields) => Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'key')) }),
  },
  { name: 'PostObject without file', run: plain({ rest: [] }) },
  {
    name: 'PostObject with fields after the file',
    run: plain({ rest: [filePart(CONTENT), { name: 'submit', value: 'Upload' }] }),
  },
  {
    name: 'PostObject with a customer key and an x-ignore field after the file',
    run: withKey({ rest: [filePart(CONTENT), { name: 'x-ignore-rest', value: ' '.repeat(100_000) }] }),
  },
  {
    name: 'PostObject with a customer key and an epilogue',
    run: withKey({ wire: (form) => Buffer.concat([form, Buffer.alloc(100_000, '\r\n')]) }),
  },
  { name: 'PostObject, final CRLF missing', run: withKey({ wire: (form) => form.subarray(0, -2) }) },
  {
    name: 'PostObject, last boundary missing',
    run: plain({ wire: (form) => form.subarray(0, form.lastIndexOf('\r\n--')) }),
  },
  { name: 'PostObject, last boundary cut off', run: plain({ wire: (form) => form.subarray(0, -10) }) },
  { name: 'PostObject, an empty file', run: withKey({ rest: [filePart('')] }, '') },
  {
    name: 'PostObject, an object key of the odd kind',
    run: async (context) => {
      const answer = await post(context, { fields: { key: `${context.objectKey}//../ž +%2F"` } })
      const head = await on(context, 'HEAD', { objectKey: `${context.objectKey}//../%C5%BE%20%2B%252F%22` })
      return `${neutral(say(answer), context)}, ${head.status}`
    },
  },
  {
    name: 'PostObject, fields before the file too large',
    run: plain({ fields: { 'x-ignore-a': 'a'.repeat(21_000) }, uncovered: ['x-ignore-a'] }),
  },
]
