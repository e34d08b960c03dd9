import type { Test } from 'tap'
import { integrationSuite, type SuiteServer } from '../integration/suite.js'
import { s3 } from '../support/s3-client.js'
import type { Started } from '../support/server.js'

/** The integration suite with a real S3 server behind the proxy; a reason is printed where there is none. */
export async function suiteAgainst(
  t: Test,
  started: Started,
  facts: Pick<SuiteServer, 'copiesEncrypted' | 'proof' | 'refusesOddKeys' | 'refusals'>,
): Promise<void> {
  if (started.type === 'unavailable') {
    t.test('the integration suite', { skip: started.reason }, () => undefined)
    return
  }
  t.teardown(started.stop)
  const { name, port, ca, region, credentials } = started.server
  // A name that RGW does not take for a bucket.
  const host = '127.0.0.1'
  const bucket = 'integration'
  const made = await s3({ host, port, ca, region, ...credentials }, 'PUT', `/${bucket}`)
  t.equal(made.status, 200, `${name} has a bucket`)
  integrationSuite(t, { name, upstream: { host, port, ca, region, ...credentials }, bucket, ...facts })
}
