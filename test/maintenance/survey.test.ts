import t from 'tap'
import { everyVersion, survey } from '../../src/maintenance/survey.js'
import { parseBucket } from '../../src/s3/names.js'
import { targetHeaders } from '../../src/s3/customer-key.js'
import { keyOf, scopeOf } from '../keyring/material.js'
import { testAccess } from '../support/access.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { encryptedRule, keyringOf } from '../support/proxy-in-process.js'
import { pathOf, s3 } from '../support/s3-client.js'

const origin = await startTestOrigin({ buckets: ['bucket'] })
t.teardown(() => origin.close())
const at = { port: origin.port, ...ORIGIN_CREDENTIALS }
const upstream = { ...at, ca: testCertificates().authority.cert, region: 'us-east-1' }
const ring = keyringOf('main', ['v1', 'v2'], new Map(['v1', 'v2'].map((id) => [id, keyOf(id).export()])))

async function put(objectKey: string, keyVersion: string): Promise<void> {
  const dataKey = await ring.forVersion(scopeOf('bucket', objectKey), keyVersion)
  if (dataKey === 'unknown') throw new Error('no key')
  const answer = await s3(at, 'PUT', pathOf('bucket', objectKey), { headers: targetHeaders(dataKey.key), body: 'body' })
  if (answer.status !== 200) throw new Error(`PUT ${objectKey}: ${answer.status}`)
}

t.test('what a client puts on top of an object since it was listed does not hide what is below', async (t) => {
  const access = testAccess(t, { upstream, rules: [encryptedRule('*', 'main')], keyrings: [ring] })
  const bucket = parseBucket('bucket')
  for (const objectKey of ['as-it-was', 'deleted', 'written']) await put(objectKey, 'v1')
  const listed = []
  for await (const object of everyVersion(access, bucket, '')) listed.push(object)
  t.strictSame(
    listed.map(({ version }) => version),
    Array.from({ length: 3 }, () => ({ type: 'id', versionId: 'null' })),
  )
  origin.setVersioning('bucket', 'Enabled')
  await put('written', 'v2')
  t.equal((await s3(at, 'DELETE', pathOf('bucket', 'deleted'))).status, 204)
  const found = new Map<string, string>()
  await survey(access, bucket, listed, { width: 2, wanted: () => true }, ({ object, look }) =>
    found.set(object.objectKey, look.type === 'key' ? look.dataKey.keyVersion : look.type),
  )
  t.strictSame(Object.fromEntries(found), { 'as-it-was': 'v1', deleted: 'v1', written: 'v1' })
})
