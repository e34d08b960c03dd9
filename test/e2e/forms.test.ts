// Browser forms as those make and send them who make and send them: boto3 (both of its signatures, old and new) and aws-sdk v2
// sign; curl and headless Chromium send.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import AWS from 'aws-sdk'
import t from 'tap'
import { testCertificates } from '../support/certificates.js'
import { chromiumFor } from '../support/chromium.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { fieldParts, v4Form } from '../support/post-form.js'
import { CLIENT, startTestProxy } from '../support/proxy-in-process.js'
import { run, runWell } from '../support/run-program.js'
import { s3 } from '../support/s3-client.js'

const NEWER = fileURLToPath(new URL('../../node_modules/.cache/ssec-proxy-e2e/python/bin/python3', import.meta.url))
const CONTENT = 'what the page uploads\r\n--boundary\r\nžluť'

interface Post {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
}

const origin = await startTestOrigin()
t.teardown(() => origin.close())
const folder = mkdtempSync(join(tmpdir(), 'ssec-forms-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const caFile = join(folder, 'ca.pem')
writeFileSync(caFile, testCertificates().authority.cert)
const uploaded = join(folder, 'a file žluť.txt')
writeFileSync(uploaded, CONTENT)
const proxy = await startTestProxy(t, {
  upstream: { port: origin.port, ca: testCertificates().authority.cert, ...ORIGIN_CREDENTIALS, region: 'us-east-1' },
  signatures: ['v2', 'v4'],
})
const side = { port: proxy.port, ...CLIENT }
const endpoint = `https://localhost:${proxy.port}`

/** Sends a form as curl does, the file last. */
async function curl({ url, fields }: Post): Promise<string> {
  const form = Object.entries(fields).flatMap(([name, value]) => ['--form-string', `${name}=${value}`])
  const options = ['--silent', '--include', '--cacert', caFile, ...form, '--form', `file=@${uploaded}`, url]
  return (await run('/usr/bin/curl', options)).stdout.toString()
}

const BOTO3 = `
import json, sys, boto3
from botocore.config import Config
endpoint, version, key = sys.argv[1:]
s3 = boto3.client('s3', endpoint_url=endpoint, region_name='us-east-1', config=Config(signature_version=version, s3={'addressing_style': 'path'}))
print(json.dumps(s3.generate_presigned_post('bucket', key, Fields={'acl': 'private', 'x-amz-meta-a': 'b'},
  Conditions=[{'acl': 'private'}, ['starts-with', '$x-amz-meta-a', ''], ['content-length-range', 1, 1000]])))
`

for (const [name, python] of [
  ["Debian's boto3", '/usr/bin/python3'],
  ['a newer boto3', NEWER],
] as const) {
  t.test(name, async (t) => {
    for (const version of ['s3', 's3v4']) {
      const env = { AWS_ACCESS_KEY_ID: CLIENT.accessKeyId, AWS_SECRET_ACCESS_KEY: CLIENT.secretAccessKey, HOME: folder }
      const key = `${name} ${version}/\${filename}`
      const ran = await runWell(python, ['-c', BOTO3, endpoint, version, key], { env })
      const post = JSON.parse(ran.stdout.toString()) as Post
      t.equal('AWSAccessKeyId' in post.fields, version === 's3', `signature of ${version}`)
      t.match(await curl(post), /^HTTP\/1\.1 204 /m, version)
      const path = `/bucket/${encodeURIComponent(`${name} ${version}`).replaceAll("'", '%27')}/a%20file%20%C5%BElu%C5%A5.txt`
      t.equal((await s3(side, 'GET', path)).text, CONTENT)
      const spoiled = { ...post, fields: { ...post.fields, 'x-amz-meta-b': 'c' } }
      t.match(await curl(spoiled), 'Invalid according to Policy: Extra input fields: x-amz-meta-b')
    }
  })
}

t.test('aws-sdk v2', async (t) => {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- its own way to be called
  const client = new AWS.S3({
    endpoint,
    accessKeyId: CLIENT.accessKeyId,
    secretAccessKey: CLIENT.secretAccessKey,
    region: 'us-east-1',
    s3ForcePathStyle: true,
    signatureVersion: 'v4',
  })
  const post = client.createPresignedPost({
    Bucket: 'bucket',
    Fields: { key: 'sdk v2.txt', success_action_status: '201', 'Content-Type': 'text/plain' },
    Conditions: [['content-length-range', 1, 1000]],
  })
  const answer = await curl(post)
  t.match(answer, /^HTTP\/1\.1 201 /m)
  t.match(answer, `<Location>${endpoint}/bucket/sdk%20v2.txt</Location>`)
  t.equal((await s3(side, 'GET', '/bucket/sdk%20v2.txt')).text, CONTENT)
})

t.test('a page in Chromium', async (t) => {
  let done: (url: string) => void = () => undefined
  const redirected = new Promise<string>((resolve) => (done = resolve))
  let page = ''
  const site = createServer((request, response) => {
    if (request.url?.startsWith('/done') === true) done(request.url)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(request.url === '/form' ? page : '<!doctype html><p>thank you</p>')
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  t.teardown(() => site.close())
  const home = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const fields = v4Form({
    credentials: CLIENT,
    bucket: 'bucket',
    fields: { key: 'pages/${filename}', success_action_redirect: `${home}/done?from=s3`, 'Content-Type': 'text/plain' },
    uncovered: ['key'],
    conditions: [['starts-with', '$key', 'pages/']],
  })
  const inputs = fieldParts(fields).map(
    ({ name, value }) => `<input type=hidden name="${name}" value="${String(value)}">`,
  )
  // A script puts the file where a person would.
  page = `<!doctype html><meta charset=utf-8><form method=post enctype=multipart/form-data action="${endpoint}/bucket">
    ${inputs.join('\n')}<input type=file name=file><input type=submit name=submit value=Upload></form><script>
    const chosen = new DataTransfer()
    chosen.items.add(new File([${JSON.stringify(CONTENT)}], 'z "stránky".txt'))
    document.querySelector('[type=file]').files = chosen.files
    document.querySelector('[type=submit]').click()</script>`
  t.notMatch(await chromiumFor(testCertificates().leaf.cert)(`${home}/form`), /^chromium ended/)
  const timer = setTimeout(() => done('no redirect'), 30_000)
  const url = await redirected
  clearTimeout(timer)
  t.match(url, /^\/done\?from=s3&bucket=bucket&key=pages%2Fz%20%2522str%C3%A1nky%2522\.txt&etag=%22[0-9a-f]{32}-0%22$/)
  // Chromium writes quotes in the names of files as %22, as the standard says, and S3 takes them as they come.
  const got = await s3(side, 'GET', '/bucket/pages/z%20%2522str%C3%A1nky%2522.txt')
  t.equal(got.text, CONTENT)
  t.equal(got.headers['content-type'], 'text/plain')
  t.equal(
    origin.objects('bucket').every(({ encrypted }) => encrypted),
    true,
  )
})
