// SSE-C objects cannot be opened by a presigned URL of S3 itself, because a browser sends no SSE-C headers. Through the
// proxy they can.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import t from 'tap'
import { chromiumFor } from '../support/chromium.js'
import { run } from '../support/run-program.js'
import { BASE_DOMAINS, makeInstallation, removeInstallation, startProxy } from '../support/running-proxy.js'
import { startEmbedded } from './embedded.js'
import { viewOf } from './upstream-view.js'

const Bucket = 'browser'
const Key = 'pages/odd name +%2F ž.html'

t.test('a presigned URL opens an encrypted object', async (t) => {
  const { server, stop } = await startEmbedded()
  t.teardown(stop)
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const proxy = await startProxy(installation, { upstream: server, name: 'browser' })
  const view = viewOf(server)
  t.teardown(() => view.close())
  await view.makeBucket(Bucket)

  const ca = readFileSync(installation.caFile)
  const client = (endpoint: string, forcePathStyle: boolean): S3Client =>
    new S3Client({
      endpoint,
      region: 'us-east-1',
      credentials: installation,
      forcePathStyle,
      requestHandler: { httpsAgent: new Agent({ ca }) },
    })
  const pathStyle = client(`https://localhost:${proxy.httpsPort}`, true)
  const virtualHosted = client(`https://${BASE_DOMAINS[0]}:${proxy.httpsPort}`, false)
  // the script shows that a browser took it for a page
  const word = randomBytes(8).toString('hex')
  const page = `<!doctype html><title>t</title><p id=p></p><script>p.textContent = 'opened-' + '${word}'</script>`
  await pathStyle.send(new PutObjectCommand({ Bucket, Key, Body: page, ContentType: 'text/html; charset=utf-8' }))
  t.equal(await view.withoutKey(Bucket, Key), 'refused', 'at the upstream it is encrypted')

  const presign = (from: S3Client): Promise<string> =>
    getSignedUrl(from, new GetObjectCommand({ Bucket, Key }), { expiresIn: 300 })
  const urls = { 'path style': await presign(pathStyle), 'virtual-hosted style': await presign(virtualHosted) }
  const tampered = urls['path style'].replace(/X-Amz-Signature=../, 'X-Amz-Signature=00')

  const curl = async (url: string, caFile = installation.caFile): Promise<string> =>
    (await run('/usr/bin/curl', ['--silent', '--path-as-is', '--cacert', caFile, url])).stdout.toString()
  const chromium = chromiumFor(readFileSync(installation.certFile, 'utf8'))
  for (const [style, url] of Object.entries(urls)) {
    t.equal(await curl(url), page, `curl, ${style}`)
    t.match(await chromium(url), `opened-${word}`, `Chromium, ${style}`)
  }
  t.match(await curl(tampered), '<Code>SignatureDoesNotMatch</Code>', 'curl, another signature')
  const shown = await chromium(tampered)
  t.match(shown, 'SignatureDoesNotMatch', 'Chromium, another signature')
  t.notMatch(shown, word)

  const upstreamClient = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server.credentials,
    forcePathStyle: true,
  })
  const direct = await curl(await presign(upstreamClient), join(installation.folder, 'upstream-ca.crt'))
  t.match(direct, 'The object was stored using a form of Server Side Encryption', "not so the upstream's own URL")
  await t.resolves(proxy.stop(), 'exit code 0')
})
