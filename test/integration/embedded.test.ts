import t from 'tap'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { integrationSuite } from './suite.js'

const origin = await startTestOrigin()
t.teardown(() => origin.close())

integrationSuite(t, {
  name: 'the embedded origin',
  upstream: {
    port: origin.port,
    ca: testCertificates().authority.cert,
    ...ORIGIN_CREDENTIALS,
    region: 'us-east-1',
  },
  bucket: 'bucket',
  copiesEncrypted: true,
  refusesOddKeys: false,
  proof: 'answer',
  refusals: [400, 403],
})
