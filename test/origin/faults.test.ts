import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Faults, SeenRequest } from '../../src/origin/faults.js'
import { complete, customerKey, keyHeaders, on, putPart, sayProof, begin, type Context } from '../contract/case.js'
import { originServer, startTestOrigin } from '../support/origin.js'
import { rawClient } from '../support/raw-client.js'
import { sdkClient } from '../support/sdk-client.js'
import type { Origin } from '../../src/origin/start-origin.js'

async function start(t: Test, faults: Partial<Faults>): Promise<{ origin: Origin; context: Context }> {
  const origin = await startTestOrigin({ faults })
  const server = originServer(origin)
  const context = {
    server,
    raw: rawClient(server),
    sdk: sdkClient(server),
    bucket: 'bucket',
    versioned: '',
    objectKey: 'a',
  }
  t.teardown(async () => {
    context.raw.close()
    context.sdk.destroy()
    await origin.close()
  })
  return { origin, context }
}
const key = customerKey()
const put = (context: Context) => on(context, 'PUT', { body: 'data', headers: keyHeaders(key) })

t.test('a store that ignores customer keys', async (t) => {
  const { origin, context } = await start(t, { ignoreCustomerKeys: true })
  t.equal(sayProof(await put(context), key), '200 unproven')
  t.match(origin.objects(), [{ encrypted: false }])
  t.equal((await on(context, 'GET', { headers: keyHeaders(key) })).body.toString(), 'data')
  origin.resetFaults()
  t.equal(sayProof(await put(context), key), '200 proven', 'and one that does not any more')
})

t.test('answers that prove too little', async (t) => {
  const { origin, context } = await start(t, {})
  for (const [proof, expected] of [
    ['none', '200 unproven'],
    ['algorithm-only', '200 wrong proof'],
    ['md5-only', '200 wrong proof'],
    ['other-md5', '200 wrong proof'],
    ['honest', '200 proven'],
  ] as const) {
    origin.faults.proof = proof
    t.equal(sayProof(await put(context), key), expected, proof)
  }
})

t.test('ETags of other stores', async (t) => {
  const { context } = await start(t, { plaintextEtags: true, rewriteEtag: (etag) => `x-${etag}` })
  const md5 = createHash('md5').update('data').digest('hex')
  t.equal((await put(context)).headers['etag'], `"x-${md5}"`)
  const etag = { 'if-match': `"x-${md5}"` }
  t.equal(
    (await on(context, 'GET', { headers: { ...keyHeaders(key), ...etag } })).status,
    200,
    'clients send them back',
  )
})

t.test('errors inside a 200', async (t) => {
  const { origin, context } = await start(t, {})
  await on(context, 'PUT', { objectKey: 'source', body: 'data' })
  const uploadId = await begin(context)
  const etag = (await putPart(context, uploadId, 1, { body: 'x' })).headers['etag'] ?? ''
  origin.faults.errorInside200 = true
  t.match(await on(context, 'PUT', { headers: { 'x-amz-copy-source': '/bucket/source' } }), {
    status: 200,
    code: 'InternalError',
  })
  t.match(await complete(context, uploadId, [{ partNumber: 1, etag }]), { status: 200, code: 'InternalError' })
  t.equal(origin.objects().length, 1, 'nothing was made')
})

t.test('bodies that end too soon', async (t) => {
  const { origin, context } = await start(t, {})
  await put(context)
  origin.faults.truncateBodies = 2
  await t.rejects(on(context, 'GET', { headers: keyHeaders(key) }), { code: 'ECONNRESET' })
})

t.test('a request can be answered, broken or left hanging', async (t) => {
  const seen: SeenRequest[] = []
  const { origin, context } = await start(t, {
    intercept: (request) => {
      seen.push(request)
      return {
        type: 'answer',
        status: 503,
        headers: { 'retry-after': '1' },
        body: '<Error><Code>SlowDown</Code></Error>',
        afterBody: true,
      }
    },
  })
  t.match(await put(context), { status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } })
  t.match(seen, [{ method: 'PUT', target: '/bucket/a', secure: true }])
  origin.faults.intercept = () => ({ type: 'destroy' })
  await t.rejects(on(context, 'GET'), { code: 'ECONNRESET' })
  let hung = (): void => undefined
  const hanging = new Promise<void>((resolve) => (hung = resolve))
  origin.faults.intercept = () => {
    hung()
    return { type: 'hang' }
  }
  const answer = on(context, 'GET').catch((error: unknown) => error)
  await hanging
  await origin.close()
  t.match(await answer, { code: 'ECONNRESET' }, 'until the origin is closed')
})
