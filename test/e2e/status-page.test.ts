// The status page in a real browser: what it shows under load, and that nothing of it needs another place or breaks its policy.
import { readFileSync } from 'node:fs'
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { chromiumFor } from '../support/chromium.js'
import { run } from '../support/run-program.js'
import { makeInstallation, removeInstallation, startProxy } from '../support/running-proxy.js'
import { startEmbedded } from './embedded.js'
import { ask, clientOf, startLoad, until } from './load.js'

const Bucket = 'status'

for (const workers of [1, 2]) {
  t.test(`${workers} processes`, async (t) => {
    const { server, stop } = await startEmbedded()
    t.teardown(stop)
    const installation = await makeInstallation()
    t.teardown(() => removeInstallation(installation))
    const proxy = await startProxy(installation, {
      upstream: server,
      change: (configuration) => ({ ...configuration, workers }),
    })
    t.teardown(() => proxy.stop())
    const { accessKeyId, secretAccessKey } = installation
    const access = { port: proxy.httpsPort, accessKeyId, secretAccessKey, maxAttempts: 1 }
    const client = clientOf(installation, access)
    await client.send(new CreateBucketCommand({ Bucket }))
    const load = startLoad([client], Bucket)
    await until('some load', () => load.done() > 10)
    const stranger = clientOf(installation, { ...access, accessKeyId: '<b>STRANGER</b>' })
    await t.rejects(stranger.send(new GetObjectCommand({ Bucket, Key: 'secret plan' })))
    stranger.destroy()

    const page = `http://127.0.0.1:${proxy.adminPort}/status`
    await ask(`http://127.0.0.1:${proxy.adminPort}/metrics`)
    const shown = await chromiumFor(readFileSync(installation.certFile, 'utf8'))(page)
    t.match(shown, /<span id="state" class="pill good">ready<\/span>/)
    t.match(shown, /<b[^>]*>[0-9.]+<\/b><span>requests a second<\/span>/)
    t.match(shown, new RegExp(`<b[^>]*>${workers}/${workers}</b><span>processes</span>`))
    t.match(shown, /<dt>https 127\.0\.0\.1:\d+<\/dt><dd class="good">\d+ days left<\/dd>/)
    t.match(shown, /<dt>main [\w.-]+<\/dt><dd class="good">active, /)
    t.match(shown, /<dt>KMS<\/dt><dd>not used<\/dd>/)
    t.match(shown, '403 InvalidAccessKeyId', 'the refusal')
    t.notMatch(shown, '<b>STRANGER', 'as text, whatever it says')
    t.notMatch(shown, secretAccessKey)

    const curl = await run('/usr/bin/curl', ['--silent', '--include', page])
    t.match(curl.stdout.toString(), /content-security-policy: default-src 'none'; script-src 'self'/)
    await load.stop()
    t.strictSame(load.failures, [])
  })
}
