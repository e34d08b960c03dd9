import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { MaintenanceError } from '../../src/maintenance/error.js'
import { probeMD5 } from '../../src/maintenance/md5-probe.js'
import type { MaintenanceAnswer, MaintenanceRequest, UpstreamAccess } from '../../src/maintenance/access.js'
import type { Faults } from '../../src/origin/faults.js'
import type { Origin } from '../../src/origin/start-origin.js'
import { testAccess } from '../support/access.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'

interface Stand {
  readonly origin: Origin
  readonly access: Pick<UpstreamAccess, 'send'>
}

async function stand(t: Test): Promise<Stand> {
  const origin = await startTestOrigin({ buckets: ['bucket', 'versions', 'blocked'] })
  t.teardown(() => origin.close())
  origin.setVersioning('versions', 'Enabled')
  origin.setBlockedEncryptionTypes('blocked', ['SSE-C'])
  const upstream = {
    port: origin.port,
    ca: testCertificates().authority.cert,
    ...ORIGIN_CREDENTIALS,
    region: 'us-east-1',
  }
  return { origin, access: testAccess(t, { upstream, rules: [], keyrings: [], isHasty: true }) }
}

const probe = ({ access }: Stand, bucket = 'bucket') =>
  probeMD5({ access, bucket, randomBytes: (size) => randomBytes(size) })

/** Whether the probe failed so, and left nothing behind. */
async function refused(t: Test, stand: Stand, words: RegExp, bucket = 'bucket'): Promise<void> {
  await t.rejects(probe(stand, bucket), { name: 'MaintenanceError', message: words })
  t.same(stand.origin.objects(), [], 'no object is left')
  t.same(stand.origin.uploads(), [], 'no upload is left')
}

t.test('an upstream that keeps MD5s, with versions and without', async (t) => {
  const at = await stand(t)
  for (const bucket of ['bucket', 'versions']) t.same(await probe(at, bucket), [], bucket)
  t.same(at.origin.objects(), [], 'no object is left, in no version')
  t.same(at.origin.uploads(), [])
})

t.test('upstreams that do not', async (t) => {
  const cases: readonly [string, Partial<Faults>, RegExp][] = [
    [
      'ignores checksums (Ceph 16)',
      { ignoreChecksums: true },
      /^PutObject with x-amz-checksum-md5 is answered without x-amz-checksum-md5$/,
    ],
    [
      'keeps another checksum',
      { keepChecksum: () => 'AAAAAAAAAAAAAAAAAAAAAA==' },
      /is answered with another x-amz-checksum-md5$/,
    ],
    ['takes no trailers', { refuseTrailers: true }, /as a trailer: the upstream answered MissingContentLength/],
    ['ignores customer keys', { ignoreCustomerKeys: true }, /without a proof of encryption/],
    ['proves another key', { proof: 'other-md5' }, /without a proof of encryption/],
    [
      'fails inside a 200',
      { errorInside200: true },
      /^CopyObject with x-amz-checksum-algorithm: MD5: the upstream answered /,
    ],
    [
      'denies',
      {
        intercept: ({ method }) =>
          method === 'PUT'
            ? { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>', afterBody: true }
            : { type: 'proceed' },
      },
      /AccessDenied.*upstream\.credentials.*SSE-C is blocked/,
    ],
  ]
  for (const [name, faults, words] of cases) {
    await t.test(name, async (t) => {
      const at = await stand(t)
      Object.assign(at.origin.faults, faults)
      await refused(t, at, words)
    })
  }
})

t.test('a bucket that is not there, and one in which SSE-C is blocked', async (t) => {
  const at = await stand(t)
  await refused(t, at, /NoSuchBucket.*check the name of the bucket/, 'nowhere')
  await refused(t, at, /SSE-C is blocked on the bucket \(lift it/, 'blocked')
})

/** Each answer of the probe in turn is spoiled: every one of them must matter. */
t.test('no step of the probe is for show', async (t) => {
  const steps: readonly [string, (request: MaintenanceRequest) => boolean][] = [
    ['HEAD', ({ method }) => method === 'HEAD'],
    ['GET', ({ method, query }) => method === 'GET' && !query.has('uploadId')],
    ['PUT, header', ({ method, headers }) => method === 'PUT' && 'content-md5' in headers],
    [
      'PUT, trailer',
      ({ method, headers, query }) => method === 'PUT' && 'x-amz-trailer' in headers && !query.has('uploadId'),
    ],
    ['UploadPart', ({ method, query }) => method === 'PUT' && query.has('uploadId')],
  ]
  for (const [name, isIt] of steps) {
    await t.test(`${name} without the checksum`, async (t) => {
      const at = await stand(t)
      await refused(t, { ...at, access: spoiling(at.access, isIt, withoutField) }, /without x-amz-checksum-md5$/)
    })
    await t.test(`${name} with another checksum`, async (t) => {
      const at = await stand(t)
      await refused(t, { ...at, access: spoiling(at.access, isIt, withOtherField) }, /with another x-amz-checksum-md5$/)
    })
  }
  const documents: readonly [string, (request: MaintenanceRequest) => boolean][] = [
    ['CopyObject', ({ headers }) => 'x-amz-copy-source' in headers],
    ['ListParts', ({ method, query }) => method === 'GET' && query.has('uploadId')],
    ['CompleteMultipartUpload', ({ method, query }) => method === 'POST' && query.has('uploadId')],
  ]
  for (const [name, isIt] of documents) {
    await t.test(`${name} without the checksum`, async (t) => {
      const at = await stand(t)
      const spoiled = spoiling(at.access, isIt, withoutElement)
      await refused(t, { ...at, access: spoiled }, new RegExp(`^${name} is answered without ChecksumMD5$`))
    })
  }
  await t.test('framing that is stored as content', async (t) => {
    const at = await stand(t)
    const isRead = ({ method }: MaintenanceRequest) => method === 'GET'
    const longer = (answer: MaintenanceAnswer) => ({
      ...answer,
      body: Buffer.concat([answer.body, Buffer.from('0\r\n')]),
    })
    await refused(t, { ...at, access: spoiling(at.access, isRead, longer) }, /gives back another object/)
  })
  for (const inTrailer of [false, true]) {
    await t.test(`a wrong MD5 that is taken, ${inTrailer ? 'trailer' : 'header'}`, async (t) => {
      const at = await stand(t)
      const access: Stand['access'] = {
        send: async (request) => {
          const answer = await at.access.send(request)
          const isIt = request.method === 'PUT' && 'x-amz-trailer' in request.headers === inTrailer
          return isIt && answer.code === 'BadDigest' ? { ...answer, status: 200, code: 'none' } : answer
        },
      }
      await refused(t, { ...at, access }, /PutObject takes an? (trailing )?x-amz-checksum-md5 that is not/)
    })
  }
})

t.test('what cannot be removed is told', async (t) => {
  const at = await stand(t)
  const access: Stand['access'] = {
    send: async (request) =>
      request.method === 'DELETE'
        ? { status: 403, fields: new Map(), body: Buffer.alloc(0), code: 'AccessDenied' }
        : at.access.send(request),
  }
  const left = await probe({ ...at, access })
  t.match(left, [/^\.ssec-proxy-probe-[0-9a-f]{32}$/])
})

t.test('what cannot be removed is told beside what does not hold', async (t) => {
  const at = await stand(t)
  at.origin.faults.ignoreChecksums = true
  at.origin.faults.intercept = ({ method }) =>
    method === 'DELETE' ? { type: 'answer', status: 403 } : { type: 'proceed' }
  const words =
    /without x-amz-checksum-md5 \(and \.ssec-proxy-probe-[0-9a-f]{32} could not be removed: remove it by hand\)$/
  await t.rejects(probe(at), { name: 'MaintenanceError', message: words })
  t.equal(at.origin.objects().length, 1)
})

t.test('an upstream that goes away in between', async (t) => {
  const at = await stand(t)
  const access: Stand['access'] = {
    send: async (request) => {
      if (request.method === 'HEAD') throw new MaintenanceError('no answer from the upstream (reset)')
      return at.access.send(request)
    },
  }
  await refused(t, { ...at, access }, /no answer from the upstream/)
})

function spoiling(
  access: Stand['access'],
  isIt: (request: MaintenanceRequest) => boolean,
  spoil: (answer: MaintenanceAnswer) => MaintenanceAnswer,
): Stand['access'] {
  return {
    send: async (request) => {
      const answer = await access.send(request)
      return answer.status < 300 && isIt(request) ? spoil(answer) : answer
    },
  }
}

const MD5 = 'x-amz-checksum-md5'
const withoutField = (answer: MaintenanceAnswer) => ({
  ...answer,
  fields: new Map([...answer.fields].filter(([name]) => name !== MD5)),
})
const withOtherField = (answer: MaintenanceAnswer) => ({
  ...answer,
  fields: new Map([...answer.fields, [MD5, 'AAAAAAAAAAAAAAAAAAAAAA==']]),
})
const withoutElement = (answer: MaintenanceAnswer) => ({
  ...answer,
  body: Buffer.from(answer.body.toString().replace(/<ChecksumMD5>.*?<\/ChecksumMD5>/g, '')),
})
