import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { encodeForm, fieldParts, filePart, formType, v2Form, v4Form, type SignedForm } from '../support/post-form.js'
import { CLIENT, startTestProxy } from '../support/proxy-in-process.js'
import { pathOf, s3, send, type S3Answer, type S3Side } from '../support/s3-client.js'
import { ODD_KEYS } from './odd-keys.js'
import type { SuiteServer } from './suite.js'

const VERSIONS = { v4: v4Form, v2: v2Form } as const

type Form = Partial<SignedForm> & {
  readonly version?: keyof typeof VERSIONS
  readonly file?: Buffer | string
  readonly spoil?: (fields: Record<string, string>) => Record<string, string>
}

const without = (fields: Record<string, string>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([each]) => each !== name))

/** Browser forms, whatever S3 stands behind the proxy. */
export function formSuite(t: Test, server: SuiteServer): void {
  const { bucket, upstream } = server
  const direct: S3Side = { ...upstream }

  const encoded = ({ version = 'v4', file = 'content', spoil = (all) => all, ...given }: Form): Buffer => {
    const signed = { credentials: CLIENT, bucket, ...given, fields: given.fields ?? {} }
    return encodeForm([...fieldParts(spoil(VERSIONS[version](signed))), filePart(file)])
  }
  const postTo = (side: Pick<S3Side, 'port' | 'host' | 'ca'>, body: Buffer): Promise<S3Answer> =>
    send(
      side,
      { method: 'POST', path: `/${bucket}`, headers: { 'content-type': formType(), 'content-length': body.length } },
      body,
    )
  const start = async (t: Test) => {
    const proxy = await startTestProxy(t, { upstream, overrides: { proof: server.proof }, signatures: ['v4', 'v2'] })
    const client: S3Side = { port: proxy.port, ...CLIENT }
    return { proxy, client, post: (form: Form) => postTo(client, encoded(form)) }
  }
  const absent = async (t: Test, key: string, what: string): Promise<void> => {
    t.equal((await s3(direct, 'HEAD', pathOf(bucket, key))).status, 404, `${what}: no object`)
  }

  for (const version of ['v4', 'v2'] as const) {
    t.test(`a form with a policy of ${version}: the object has its customer key`, async (t) => {
      const { client, post } = await start(t)
      const file = randomBytes(3_000_000)
      const key = `forms/${version}/a b+c`
      const fields = { key, 'Content-Type': 'text/x-test', 'x-amz-meta-colour': 'blue', success_action_status: '201' }
      const answer = await post({ version, file, fields })
      t.equal(answer.status, 201, answer.text)
      t.match(answer.text, `<Key>${key}</Key>`)
      const path = pathOf(bucket, key)
      const got = await s3(client, 'GET', path)
      t.ok(got.body.equals(file), 'the file, byte for byte')
      t.equal(got.headers['content-type'], 'text/x-test')
      t.equal(got.headers['x-amz-meta-colour'], 'blue')
      t.equal(got.headers['x-amz-server-side-encryption-customer-algorithm'], 'AES256')
      t.match(answer.text, String(got.headers.etag).replaceAll('"', ''), 'one ETag everywhere')
      const naked = await s3(direct, 'GET', path)
      t.ok(server.refusals.includes(naked.status), `unreadable without its key: ${naked.status}`)
    })

    t.test(`a form of ${version} that was tampered with leaves nothing`, async (t) => {
      const { proxy, post } = await start(t)
      const key = `forms/tampered/${version}`
      const signature = version === 'v4' ? 'x-amz-signature' : 'signature'
      const wrong = { accessKeyId: CLIENT.accessKeyId, secretAccessKey: 'another secret' }
      const spoilt: readonly (readonly [string, Form])[] = [
        ['another secret', { credentials: wrong }],
        ['a policy of another form', { spoil: (all) => ({ ...all, policy: btoa('{"expiration":"2099-01-01"}') }) }],
        ['no signature', { spoil: (all) => without(all, signature) }],
        ['another object key', { spoil: (all) => ({ ...all, key: `${key}-2` }) }],
        ['a field more', { spoil: (all) => ({ ...all, 'x-amz-meta-more': 'x' }) }],
        ['another bucket', { bucket: 'another-bucket' }],
        ['an expired policy', { validFor: -60_000 }],
      ]
      for (const [what, more] of spoilt) {
        const answer = await post({ version, fields: { key }, ...more })
        t.ok([400, 403].includes(answer.status), `${what}: ${answer.status} ${answer.code}`)
        await absent(t, key, what)
        await absent(t, `${key}-2`, what)
      }
      await proxy.lastEvent()
      t.ok(
        proxy.events.every(({ attempts }) => attempts === 0),
        'and the upstream never heard of it',
      )
    })
  }

  t.test('forms with odd object keys', async (t) => {
    const { client, post } = await start(t)
    for (const key of ODD_KEYS) {
      const name = key.slice(0, 30)
      const fields = { key, success_action_status: '201' }
      const answer = await post({ fields, file: name })
      const path = pathOf(bucket, key)
      if (answer.status !== 201 && server.refusesOddKeys) {
        const own = await s3(direct, 'PUT', path, { body: name })
        t.ok(own.status >= 400, `${server.name} itself refuses ${name}: ${own.code}, in a form ${answer.code}`)
        continue
      }
      t.equal(answer.status, 201, `post ${name} ${answer.text}`)
      t.equal((await s3(client, 'GET', path)).text, name, `get ${name}`)
      const naked = await s3(direct, 'GET', path)
      t.ok(server.refusals.includes(naked.status), `unreadable without its key: ${naked.status}`)
      t.equal((await s3(client, 'DELETE', path)).status, 204)
    }
  })

  t.test('content-length-range: what is too long or too short leaves nothing', async (t) => {
    const { post } = await start(t)
    const key = 'forms/range'
    const conditions = [['content-length-range', 1000, 200_000]]
    const send = (size: number) => post({ fields: { key }, conditions, file: randomBytes(size) })
    t.equal((await send(999)).code, 'EntityTooSmall')
    await absent(t, key, 'too short')
    t.equal((await send(200_001)).code, 'EntityTooLarge')
    await absent(t, key, 'too long by a byte')
    t.match((await send(3_000_000)).code, /^(?:EntityTooLarge)?$/, 'refused, or cut off')
    await absent(t, key, 'much too long')
    for (const size of [1000, 200_000]) t.equal((await send(size)).status, 204, `${size} bytes`)
  })

  t.test('a form that breaks off in its file leaves nothing', async (t) => {
    const { proxy, client } = await start(t)
    const key = 'forms/broken'
    const body = encoded({ fields: { key }, file: randomBytes(400_000) })
    const headers = { 'content-type': formType(), 'content-length': body.length }
    for (const cut of [200_000, body.length - 1]) {
      const before = proxy.events.length
      const broken = send(client, { method: 'POST', path: `/${bucket}`, headers }, Buffer.alloc(0), (request) => {
        request.end = () => request
        request.write(body.subarray(0, cut))
        setTimeout(() => request.destroy(new Error('broken off')), 400)
      })
      await t.rejects(broken)
      for (let i = 0; i < 100 && proxy.events.length === before; i += 1) await delay(20)
      await delay(300)
      await absent(t, key, `after ${cut} of ${body.length} bytes`)
    }
  })
}
