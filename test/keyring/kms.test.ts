// The SDK's client over TLS against a server that answers as KMS does, or not at all.
import t from 'tap'
import { openKms } from '../../src/keyring/kms.js'
import { kmsError, startKmsFront } from '../support/kms-front.js'
import { bytesOf } from './material.js'

const CREDENTIALS = { accessKeyId: 'AKIAKMSTEST000000000', secretAccessKey: 'kms-test-secret/not+real' }

t.test('over a real socket', async (t) => {
  const front = await startKmsFront()
  t.teardown(front.close)
  const open = (more: object = {}) => {
    const kms = openKms({
      region: 'eu-central-1',
      endpoint: { hostname: 'localhost', port: front.port },
      ca: front.ca,
      timeoutMs: 20_000,
      maxSockets: 4,
      credentials: async () => CREDENTIALS,
      ...more,
    })
    t.teardown(kms.close)
    return kms
  }
  const kms = open()
  const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1'

  await t.test('what is asked and what is given', async (t) => {
    const answer = (members: object) => ({ status: 200, body: JSON.stringify({ KeyId: arn, ...members }) })
    front.behaviour = answer({ Plaintext: bytesOf('a').toString('base64') })
    const plain = await kms.decrypt('alias/one', Buffer.from('blob'), { 'ssec-proxy:keyring': 'main' })
    t.ok(plain.type === 'bytes' && plain.bytes.equals(bytesOf('a')) && plain.kmsKeyId === arn)
    front.behaviour = answer({ Mac: bytesOf('b').toString('base64'), MacAlgorithm: 'HMAC_SHA_256' })
    const message = Buffer.alloc(1102, 'k')
    const mac = await kms.generateMac('alias/mac', message)
    t.ok(mac.type === 'bytes' && mac.bytes.equals(bytesOf('b')))
    front.behaviour = answer({ CiphertextBlob: Buffer.from('blob').toString('base64') })
    const blob = await kms.encrypt('alias/one', bytesOf('c'), { 'ssec-proxy:keyring': 'main' })
    t.ok(blob.type === 'bytes' && blob.bytes.toString() === 'blob')
    const context = { 'ssec-proxy:keyring': 'main' }
    const base64 = (bytes: Buffer | string) => Buffer.from(bytes as string).toString('base64')
    t.strictSame(
      front.calls.map(({ target }) => target),
      ['TrentService.Decrypt', 'TrentService.GenerateMac', 'TrentService.Encrypt'],
    )
    t.same(front.calls[0]?.body, {
      KeyId: 'alias/one',
      CiphertextBlob: base64('blob'),
      EncryptionContext: context,
    })
    t.same(front.calls[1]?.body, { KeyId: 'alias/mac', Message: base64(message), MacAlgorithm: 'HMAC_SHA_256' })
    t.match(front.calls[2]?.body, { KeyId: 'alias/one', EncryptionContext: context })
  })

  await t.test('errors, once each: nothing is tried again in here', async (t) => {
    for (const [status, name, type] of [
      [400, 'AccessDeniedException', 'denied'],
      [400, 'DisabledException', 'denied'],
      [400, 'KMSInvalidStateException', 'denied'],
      [400, 'NotFoundException', 'denied'],
      [400, 'InvalidCiphertextException', 'denied'],
      [400, 'IncorrectKeyException', 'denied'],
      [400, 'InvalidKeyUsageException', 'denied'],
      [400, 'InvalidGrantTokenException', 'denied'],
      [400, 'ValidationException', 'denied'],
      [400, 'UnrecognizedClientException', 'denied'],
      [403, 'InvalidSignatureException', 'denied'],
      [400, 'ThrottlingException', 'throttled'],
      [400, 'LimitExceededException', 'throttled'],
      [429, 'SomethingElse', 'throttled'],
      [400, 'ExpiredTokenException', 'away'],
      [500, 'KeyUnavailableException', 'away'],
      [500, 'DependencyTimeoutException', 'away'],
      [500, 'KMSInternalException', 'away'],
      [503, 'ServiceUnavailableException', 'away'],
      [502, 'SomethingElse', 'away'],
    ] as const) {
      front.calls.length = 0
      front.behaviour = kmsError(status, name)
      const answer = await kms.generateMac('alias/mac', Buffer.from('x'))
      t.equal(answer.type, type, name)
      t.ok(answer.type !== 'bytes' && answer.reason.startsWith(name), name)
      t.equal(front.calls.length, 1, name)
    }
  })

  await t.test('a message is quoted without what could be a key', async (t) => {
    const key = bytesOf('k').toString('base64')
    front.behaviour = kmsError(400, 'AccessDeniedException', `role app\n may not use ${key}`)
    const answer = await kms.generateMac('alias/mac', Buffer.from('x'))
    t.match(answer, { type: 'denied', reason: 'AccessDeniedException: role app may not use …' })
  })

  await t.test('a redirect is not followed', async (t) => {
    const other = await startKmsFront()
    t.teardown(other.close)
    front.behaviour = { status: 307, body: '', location: `https://localhost:${other.port}/` }
    t.match(await kms.generateMac('alias/mac', Buffer.from('x')), { type: 'away' })
    t.equal(other.calls.length, 0)
  })

  await t.test('no answer is away: silence, rubbish, another CA, nobody there, no credentials', async (t) => {
    const ask = (more: object) => open(more).generateMac('alias/mac', Buffer.from('x'))
    front.behaviour = 'silence'
    t.match(await ask({ timeoutMs: 200 }), { type: 'away', reason: 'no answer within 200 ms' })
    front.behaviour = { status: 200, body: '{}' }
    t.match(await ask({}), { type: 'away' })
    front.behaviour = { status: 200, body: '<html>' }
    t.match(await ask({}), { type: 'away' })
    front.calls.length = 0
    t.match(await ask({ ca: 'system' }), { type: 'away', reason: /UNABLE_TO_VERIFY|CERT|ISSUER|SELF_SIGNED/ })
    t.equal(front.calls.length, 0, 'nothing was sent')
    t.match(await ask({ endpoint: { hostname: 'localhost', port: 1 } }), { type: 'away', reason: /ECONNREFUSED/ })
    const none = async () => Promise.reject(new Error('no credentials'))
    t.match(await ask({ credentials: none }), { type: 'away' })
  })

  await t.test('close ends what runs, at once, and nothing is asked after it', async (t) => {
    front.behaviour = 'silence'
    front.calls.length = 0
    const closing = open()
    const running = closing.generateMac('alias/mac', Buffer.from('x'))
    while (front.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const started = Date.now()
    closing.close()
    t.match(await running, { type: 'away', reason: 'the connection to KMS was closed' })
    t.ok(Date.now() - started < 5000)
    t.match(await closing.generateMac('alias/mac', Buffer.from('x')), { type: 'away' })
    t.equal(front.calls.length, 1)
  })

  await t.test('the environment does not lead it elsewhere', async (t) => {
    const names = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_KMS', 'AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT']
    for (const name of names) process.env[name] = name.includes('URL') ? 'http://127.0.0.1:1' : 'true'
    t.teardown(() => {
      for (const name of names) Reflect.deleteProperty(process.env, name)
    })
    front.behaviour = { status: 200, body: JSON.stringify({ Mac: bytesOf('b').toString('base64') }) }
    t.match(await open().generateMac('alias/mac', Buffer.from('x')), { type: 'bytes', kmsKeyId: 'alias/mac' })
  })
})
