import t from 'tap'
import { encodeForm, fieldParts, filePart, formType, v4Form } from '../../support/post-form.js'
import { CLIENT } from '../../support/proxy-in-process.js'
import { send, type S3Answer } from '../../support/s3-client.js'
import { elementOf, etagOf, md5Base64, md5Stand, shownMD5 } from './stand.js'

const FILE = 'the file of the form'

function post(port: number, fields: Record<string, string>): Promise<S3Answer> {
  const signed = v4Form({ credentials: CLIENT, bucket: 'bucket', fields: { key: 'posted', ...fields } })
  const body = encodeForm([...fieldParts(signed), filePart(FILE)])
  const headers = { 'content-type': formType(), 'content-length': body.length }
  return send({ port }, { method: 'POST', path: '/bucket', headers }, body)
}

t.test(
  'a form whose MD5 nobody knew beforehand: the opaque form in header, document and redirect, and at HEAD',
  async (t) => {
    const { client } = await md5Stand(t)
    const answer = await post(client.port, { success_action_status: '201' })
    t.equal(answer.status, 201, answer.text)
    t.match(answer.headers.etag, /^"[0-9a-f]{32}-0"$/)
    t.equal(elementOf(answer.text, 'ETag'), answer.headers.etag)
    t.equal(await etagOf(client, 'posted'), answer.headers.etag)
    const redirected = await post(client.port, { success_action_redirect: 'http://page.example/done' })
    t.equal(redirected.status, 303)
    const etag = new URL(redirected.headers.location ?? '').searchParams.get('etag')
    t.match(etag, /^"[0-9a-f]{32}-0"$/)
    t.equal(await etagOf(client, 'posted'), etag)
  },
)

t.test('a form that brings its MD5', async (t) => {
  const { client, origin } = await md5Stand(t)
  const fields = { 'x-amz-checksum-md5': md5Base64(FILE) }
  const answer = await post(client.port, { ...fields, success_action_status: '201' })
  t.equal(answer.status, 201, answer.text)
  t.equal(answer.headers.etag, shownMD5(FILE))
  t.equal(elementOf(answer.text, 'ETag'), shownMD5(FILE))
  const redirected = await post(client.port, { ...fields, success_action_redirect: 'http://page.example/done' })
  t.equal(new URL(redirected.headers.location ?? '').searchParams.get('etag'), shownMD5(FILE))
  t.equal(await etagOf(client, 'posted'), shownMD5(FILE))
  const wrong = await post(client.port, { 'x-amz-checksum-md5': md5Base64('another file'), key: 'wrong' })
  t.equal(wrong.code, 'BadDigest')
  t.equal(origin.objects().length, 1)
})

t.test('an upstream whose answer to a form does not say the MD5 is asked with HEAD', async (t) => {
  const { client, origin } = await md5Stand(t)
  origin.faults.quietForms = true
  const fields = { 'x-amz-checksum-md5': md5Base64(FILE), success_action_status: '201' }
  const answer = await post(client.port, fields)
  t.same([answer.status, answer.headers.etag, elementOf(answer.text, 'ETag')], [201, shownMD5(FILE), shownMD5(FILE)])
  origin.setVersioning('bucket', 'Enabled')
  origin.faults.intercept = ({ method, target }) => {
    if (method === 'HEAD') asked.push(target)
    return { type: 'proceed' }
  }
  const asked: string[] = []
  t.equal((await post(client.port, fields)).headers.etag, shownMD5(FILE))
  t.match(asked, [/versionId=/], 'for the version that was made')
  for (const answer of [{ type: 'answer', status: 503 }, { type: 'destroy' }] as const) {
    origin.faults.intercept = ({ method }) => (method === 'HEAD' ? answer : { type: 'proceed' })
    const posted = await post(client.port, fields)
    t.equal(posted.status, 201, 'what was made is no failure')
    t.match(posted.headers.etag, /^"[0-9a-f]{32}-0"$/)
  }
})
