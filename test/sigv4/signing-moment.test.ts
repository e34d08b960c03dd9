import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { signingMoment } from '../../src/sigv4/signing-moment.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'

const secrets = ['one', 'another'].map((text) => new SecretAccessKey(text))

t.test('whatever was asked for before, each has its own key, credential and head', (t) => {
  const one = fc.record({
    accessKeyId: fc.constantFrom('AKID', 'team/one'),
    secretAccessKey: fc.constantFrom(...secrets),
    region: fc.constantFrom('us-east-1', 'eu-central-1'),
    timestamp: fc.constantFrom('20130524T000000Z', '20130524T000001Z', '20130525T000000Z'),
  })
  fc.assert(
    fc.property(one, ({ accessKeyId, secretAccessKey, region, timestamp }) => {
      const date = timestamp.slice(0, 8)
      const scope = `${date}/${region}/s3/aws4_request`
      const { signingKey, credential, head } = signingMoment(
        { accessKeyId, secretAccessKey, sessionToken: 'none' },
        region,
        timestamp,
      )
      let key: Buffer | string = `AWS4${secretAccessKey.reveal()}`
      for (const part of [date, region, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
      return (
        signingKey.export().equals(key as Buffer) &&
        credential === `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}` &&
        head === `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n`
      )
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test(
  'what would end the line of the Authorization header, or could not be sent as it was signed, is refused',
  (t) => {
    const of = (accessKeyId: string, region: string) => () =>
      signingMoment({ accessKeyId, secretAccessKey: secrets[1]!, sessionToken: 'none' }, region, '20130524T000000Z')
    for (const odd of ['AKID\n', 'AKID\r\nx-amz-acl: public-read', '\u0141KID', 'AK\x7f', '\xe9']) {
      t.throws(of(odd, 'us-east-1'), { code: 'InternalError' })
      t.throws(of('AKID', odd), { code: 'InternalError' })
    }
    t.doesNotThrow(of('AKID', 'us-east-1'))
    t.end()
  },
)

t.test('one second is made once', (t) => {
  const of = (timestamp: string) =>
    signingMoment({ accessKeyId: 'A', secretAccessKey: secrets[0]!, sessionToken: 'none' }, 'r', timestamp)
  t.equal(of('20130524T000000Z'), of('20130524T000000Z'))
  t.not(of('20130524T000000Z'), of('20130524T000001Z'))
  t.end()
})
