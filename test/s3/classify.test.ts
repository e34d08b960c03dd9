import { readFileSync } from 'node:fs'
import * as sdk from '@aws-sdk/client-s3'
import fc from 'fast-check'
import t from 'tap'
import { classify } from '../../src/s3/classify.js'
import { hoistedFields } from '../../src/s3/hoisted.js'
import { OPERATIONS } from '../../src/s3/operations.js'
import { parseQuery } from '../../src/s3/query.js'
import { parseTarget, splitTarget } from '../../src/s3/target.js'
import { refusal } from './refusal.js'

interface Vector {
  readonly request: string
  readonly headers?: Readonly<Record<string, string>>
}
interface Vectors {
  readonly operations: readonly (Vector & { operation: string; handling: string } & Record<string, unknown>)[]
  readonly variants: readonly (Vector & { operation: string })[]
  readonly refused: readonly (Vector & { error: string; argument?: string })[]
}
const vectors = JSON.parse(readFileSync(new URL('../vectors/s3/classify.json', import.meta.url), 'utf8')) as Vectors

const ask = ({ request, headers = {} }: Vector) => {
  const [method = '', rawTarget = ''] = request.split(' ')
  const { rawPath, rawQuery } = splitTarget(rawTarget)
  return classify({
    method,
    target: parseTarget(rawPath, 'proxy.test', []),
    query: parseQuery(rawQuery),
    fields: new Map(Object.entries(headers)),
  })
}
const title = ({ request, headers }: Vector) => (headers ? `${request} ${JSON.stringify(headers)}` : request)

t.test('every operation is recognised and treated as written down', (t) => {
  for (const { request, headers, operation, handling, ...treatment } of vectors.operations) {
    const vector = headers === undefined ? { request } : { request, headers }
    const found = ask(vector)
    t.equal(found.name, operation, title(vector))
    t.match(found, treatment, operation)
    t.equal(found.handling === 'forward' ? 'forward' : 'refuse', handling, operation)
  }
  t.end()
})

t.test('no operation lacks a vector, none has two', (t) => {
  const names = vectors.operations.map(({ operation }) => operation)
  t.strictSame([...names].sort(), OPERATIONS.map(({ name }) => name).sort())
  t.equal(new Set(names).size, names.length)
  t.end()
})

t.test('no operation of the SDK is unknown', (t) => {
  const commands = Object.keys(sdk).filter((name) => /^[A-Z]\w+Command$/.test(name))
  t.ok(commands.length > 100)
  const known = new Set(OPERATIONS.map(({ name }) => `${name}Command`))
  t.strictSame(
    commands.filter((name) => !known.has(name)),
    [],
  )
  t.end()
})

t.test('variants', (t) => {
  for (const vector of vectors.variants) t.equal(ask(vector).name, vector.operation, title(vector))
  t.end()
})

t.test('what is unknown is refused and named', (t) => {
  for (const vector of vectors.refused) {
    const { code, extra } = refusal(() => ask(vector))
    t.equal(code, vector.error, title(vector))
    if (vector.argument !== undefined) t.equal(extra['ArgumentName'], vector.argument, title(vector))
  }
  t.end()
})

t.test('two operations never fit one request', (t) => {
  const nameOf = (required: string) => required.split('=')[0] as string
  const both: string[] = []
  for (const a of OPERATIONS) {
    for (const b of OPERATIONS) {
      if (a === b || a.method !== b.method || a.target !== b.target || a.selector !== b.selector) continue
      const takes = ({ required, optional }: typeof a, name: string) =>
        optional === 'any' || optional.includes(name) || required.some((text) => nameOf(text) === name)
      const fitsOther = (one: typeof a, other: typeof a) => one.required.every((text) => takes(other, nameOf(text)))
      if (fitsOther(a, b) && fitsOther(b, a)) both.push(`${a.name} and ${b.name}`)
    }
  }
  t.strictSame(both, [])
  t.end()
})

t.test('facts that must go together do', (t) => {
  for (const row of OPERATIONS) {
    t.equal(row.customerKey === 'none', row.keyUse === 'none', row.name)
    if (row.proof) t.not(row.customerKey, 'none', row.name)
    t.equal(row.customerKey === 'target-and-source', row.selector === 'copy-source', row.name)
    // A form is sent to the bucket and names its object in a field.
    if (row.customerKey !== 'none' && row.selector !== 'form') t.equal(row.target, 'object', row.name)
    // Nothing may write object bytes upstream without a customer key.
    if (row.body === 'object' && row.handling === 'forward') t.not(row.customerKey, 'none', row.name)
    if (row.method === 'GET' || row.method === 'HEAD') t.equal(row.body, 'none', row.name)
    if (row.handling !== 'forward') t.match(row.handling.refuse, /^[A-Z].*\.$/, row.name)
  }
  t.end()
})

t.test('no parameter that the table does not know gets through', (t) => {
  const known = new Set(
    OPERATIONS.flatMap(({ required, optional }) => [
      ...required.map((text) => text.split('=')[0]),
      ...(optional === 'any' ? [] : optional),
    ]),
  )
  const unknown = fc
    .string({ minLength: 1 })
    .filter((name) => !known.has(name) && name !== 'x-id' && !/^x-amz-/i.test(name))
  const row = fc.constantFrom(...vectors.operations.filter(({ operation }) => !operation.startsWith('Preflight')))
  fc.assert(
    fc.property(row, unknown, ({ request, headers }, name) => {
      const more = `${request}${request.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=1`
      const { code } = refusal(() => ask(headers === undefined ? { request: more } : { request: more, headers }))
      return code === 'NotImplemented'
    }),
  )
  t.end()
})

t.test('what a presigner hoisted', (t) => {
  const hoisted = (raw: string) => Object.fromEntries(hoistedFields(parseQuery(raw)))
  t.strictSame(hoisted('acl&prefix=x-amz-acl&x-id=PutObject'), {})
  t.strictSame(
    hoisted(
      'X-Amz-Algorithm=a&X-Amz-Credential=c&X-Amz-Date=d&X-Amz-Expires=e&X-Amz-SignedHeaders=h&X-Amz-Signature=s',
    ),
    {},
  )
  t.strictSame(hoisted('x-amz-security-token=t&X-AMZ-CONTENT-SHA256=u&X-Amz-Region-Set=*'), {})
  t.strictSame(hoisted('X-Amz-Acl=private&x-amz-meta-Farbe=gr%C3%BCn'), {
    'x-amz-acl': 'private',
    'x-amz-meta-farbe': 'grün',
  })
  const bad = [
    'x-amz-meta-a=b%0D%0Ax: y',
    'x-amz-meta-a=%00',
    'x-amz-meta-a=%7F',
    'x-amz-meta-a%0D%0A=b',
    'x-amz-meta-%3A=b',
    'x-amz-meta-a%20b=c',
    'x-amz-meta-%C3%A4=c',
    'X-Amz-Acl=a&x-amz-acl=a',
  ]
  for (const raw of bad) t.equal(refusal(() => hoisted(raw)).code, 'InvalidArgument', raw)
  t.end()
})
