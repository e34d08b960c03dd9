import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { type Question, classify } from '../../src/s3/classify.js'
import { S3Error } from '../../src/s3/error.js'
import type { Bucket, ObjectKey } from '../../src/s3/names.js'
import type { Operation } from '../../src/s3/operation.js'
import { OPERATIONS } from '../../src/s3/operations.js'

/** The table read row by row, without anything prepared: what classify must agree with. */
function plainly({ method, target, query, fields }: Question): string {
  const rows = OPERATIONS.filter((row) => row.method === method && row.target === target.type)
  if (rows.length === 0) return 'MethodNotAllowed'
  const preflight = rows.find(({ optional }) => optional === 'any')
  if (preflight !== undefined) return preflight.name
  const selectors = SELECTING.filter(([, header, applies]) => applies(method, target.type) && header(fields))
  const selector = selectors[0]?.[0] ?? 'none'
  if (selectors.length > 1 || !(selector === 'none' || rows.some((row) => row.selector === selector))) {
    return `InvalidArgument ${selectors[0]![3]}`
  }
  const parameters = [...query.keys()].filter((name) => name !== 'x-id')
  const asked = rows.filter((row) => row.selector === selector && row.required.every((text) => has(query, text)))
  const found = asked.find((row) => parameters.every((name) => takes(row, name)))
  if (found !== undefined) return found.name
  const nearest = asked.toSorted((a, b) => b.required.length - a.required.length)[0]
  const unknown = parameters.find((name) => nearest === undefined || !takes(nearest, name))
  return unknown === undefined ? 'MethodNotAllowed' : `NotImplemented ${unknown}`
}

type Fields = Question['fields']
const always = () => true
const bucketPost = (method: string, target: string) => method === 'POST' && target === 'bucket'
const SELECTING = [
  ['copy-source', (fields: Fields) => fields.has('x-amz-copy-source'), always, 'x-amz-copy-source'],
  ['append', (fields: Fields) => fields.has('x-amz-write-offset-bytes'), always, 'x-amz-write-offset-bytes'],
  ['object-lambda', (fields: Fields) => fields.has('x-amz-request-route'), bucketPost, 'x-amz-request-route'],
  [
    'form',
    (fields: Fields) => (fields.get('content-type') ?? '').startsWith('multipart/form-data'),
    bucketPost,
    'content-type',
  ],
] as const

function has(query: Question['query'], required: string): boolean {
  const [name = '', wanted] = required.split('=')
  const value = query.get(name)
  return value !== undefined && (wanted === undefined || (wanted === '*' ? value !== '' : value === wanted))
}

const takes = ({ required, optional }: Operation, name: string): boolean =>
  optional.includes(name) || required.some((text) => text.split('=')[0] === name)

function classified(question: Question): string {
  try {
    return classify(question).name
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    const { ArgumentName: name } = error.extra
    return name === undefined ? error.code : `${error.code} ${name}`
  }
}

const parameters = OPERATIONS.flatMap(({ required, optional }) => [
  ...required.map((text) => text.split('=')[0] as string),
  ...(optional === 'any' ? [] : optional),
])
const values = fc.constantFrom('', '1', '2')
const parameter = fc.tuple(fc.constantFrom(...parameters, 'x-id', 'unheard-of'), values)
/** Most combinations fit nothing: half of them begin with what a row wants. */
const wanted = fc
  .constantFrom(...OPERATIONS.map(({ required }) => required))
  .map((texts) => texts.map((text) => text.replace('*', '1').split('=') as [string, string?]))
  .map((pairs) => pairs.map(([name, value = '']) => [name, value] as [string, string]))
const query = fc
  .tuple(fc.oneof(wanted, fc.constant<[string, string][]>([])), fc.array(parameter, { maxLength: 2 }))
  .map(([first, more]) => new Map([...first, ...more]))
const fields = fc
  .subarray(
    [
      ['x-amz-copy-source', 'b/k'],
      ['x-amz-write-offset-bytes', '0'],
      ['x-amz-request-route', 'r'],
      ['content-type', 'multipart/form-data; boundary=x'],
    ] as [string, string][],
    { maxLength: 2 },
  )
  .map((pairs) => new Map(pairs))
const bucket = 'bucket' as Bucket
const target = fc.constantFrom<Question['target']>(
  { type: 'service' },
  { type: 'bucket', bucket },
  { type: 'object', bucket, objectKey: 'k' as ObjectKey },
)
const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH')

t.test('agrees with the table read row by row, in refusals too', (t) => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.record({ method, target, query, fields }), (question) => {
      const found = classified(question)
      seen.add(found)
      return found === plainly(question)
    }),
    { numRuns: runs(5000) },
  )
  t.ok(seen.size > 60, 'most of the operations came up')
  t.end()
})
