import t from 'tap'
import { encodeForm, fieldParts, filePart, formType, v2Form, v4Form } from '../support/post-form.js'
import { CLIENT, READER, startTestProxy } from '../support/proxy-in-process.js'
import { proxyServer } from '../support/proxy-server.js'
import { rawClient, type RawRequest } from '../support/raw-client.js'
import { startRecordingOrigin } from '../support/recording-origin.js'
import { send } from '../support/s3-client.js'

const { origin, upstream } = await startRecordingOrigin()
t.teardown(() => origin.close())

t.test('the event tells which signature proved the caller, and none where nobody was proven', async (t) => {
  const proxy = await startTestProxy(t, { upstream, signatures: ['v4', 'v2'] })
  const raw = rawClient(proxyServer(proxy))
  t.teardown(() => raw.close())
  const expires = Math.floor(Date.now() / 1000) + 600
  const ask = (more: Partial<RawRequest>) => () => raw.send({ method: 'GET', path: '/bucket/x', ...more })
  const post = (sign: typeof v4Form, secretAccessKey: string) => () => {
    const credentials = { ...CLIENT, secretAccessKey }
    const fields = sign({ credentials, bucket: 'bucket', fields: { key: 'posted' } })
    const body = encodeForm([...fieldParts(fields), filePart('content')])
    const headers = { 'content-type': formType(), 'content-length': body.length }
    return send({ port: proxy.port }, { method: 'POST', path: '/bucket', headers }, body)
  }
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['v4', ask({})],
    ['v4-presigned', ask({ presignFor: 60 })],
    ['v2', ask({ version2: 'header' })],
    ['v2-presigned', ask({ version2: { expires } })],
    ['v4-form', post(v4Form, CLIENT.secretAccessKey)],
    ['v2-form', post(v2Form, CLIENT.secretAccessKey)],
    ['none', ask({ anonymous: true, plain: true, host: 'localhost' })],
    ['none', ask({ anonymous: true })],
    ['none', ask({ secretAccessKey: 'wrong' })],
    ['none', ask({ secretAccessKey: 'wrong', version2: 'header' })],
    ['none', post(v4Form, READER.secretAccessKey)],
    ['none', ask({ method: 'OPTIONS', anonymous: true, headers: { origin: 'https://a.example' } })],
  ]
  for (const [signedWith, call] of calls) {
    const before = proxy.events.length
    await call()
    const event = await proxy.lastEvent()
    t.equal(proxy.events.length, before + 1, 'one event')
    t.equal(event?.signature, signedWith, `${event?.operation}, ${event?.status}`)
  }
})
