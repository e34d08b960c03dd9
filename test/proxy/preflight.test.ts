import t from 'tap'
import type { Identity } from '../../src/proxy/messages.js'
import { demandServed } from '../../src/proxy/preflight.js'
import { S3Error } from '../../src/s3/error.js'

const identity = (bucket: string): Identity => ({
  class: 'default',
  name: 'app',
  authentication: { type: 'anonymous' },
  grants: [{ bucket, prefixes: ['x/'], permissions: ['read'] }],
  credentials: () => Promise.reject(new Error('not asked for')),
})

t.test('strangers hear nothing of buckets that nobody here has to do with', async (t) => {
  const identities = new Map([['KEY', identity('photos-*')]])
  const anonymous = new Map([['local', identity('scratch')]])
  for (const bucket of ['photos-2026', 'scratch']) t.doesNotThrow(() => demandServed(bucket, { identities, anonymous }))
  for (const bucket of ['payroll', 'photos', 'scratch-2']) {
    try {
      demandServed(bucket, { identities, anonymous })
      t.fail(`${bucket} was let through`)
    } catch (error) {
      t.ok(error instanceof S3Error && error.code === 'AccessDenied', bucket)
    }
  }
})
