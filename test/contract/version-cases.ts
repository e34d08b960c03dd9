import { elementText } from '../support/raw-client.js'
import { customerKey, given, keyHeaders, on, say, sayBody, sayProof, type Case, type Context } from './case.js'

const inVersioned = (context: Context): { bucket: string } => ({ bucket: context.versioned })
const versionOf = (headers: Readonly<Record<string, string>>): string => headers['x-amz-version-id'] ?? ''

/** Sets which encryption types writes may not use; AWS alone has this. */
async function block(context: Context, bucket: string, type: 'SSE-C' | 'NONE'): Promise<string> {
  const rule = `<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>${type}</EncryptionType></BlockedEncryptionTypes></Rule>`
  const answer = await context.raw.send({
    method: 'PUT',
    path: `/${bucket}`,
    query: { encryption: '' },
    body: `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rule}</ServerSideEncryptionConfiguration>`,
  })
  return say(answer)
}

export const VERSIONS: readonly Case[] = [
  {
    name: 'each version has its own key',
    run: async (context) => {
      const keys = [customerKey(), customerKey()] as const
      const first = versionOf((await given(context, 'one', { key: keys[0], ...inVersioned(context) })).headers)
      const second = versionOf((await given(context, 'two', { key: keys[1], ...inVersioned(context) })).headers)
      const get = (versionId: string, key: (typeof keys)[number]) =>
        on(context, 'GET', { ...inVersioned(context), query: { versionId }, headers: keyHeaders(key) })
      return [
        sayBody(await get(first, keys[0]), 'one'),
        sayBody(await get(second, keys[1]), 'two'),
        say(await get(first, keys[1])),
        sayBody(await on(context, 'GET', { ...inVersioned(context), headers: keyHeaders(keys[1]) }), 'two'),
      ].join(', ')
    },
  },
  {
    name: 'a copy of an older version takes that version’s key',
    run: async (context) => {
      const key = customerKey()
      const target = customerKey()
      const versionId = versionOf((await given(context, 'one', { key, ...inVersioned(context) })).headers)
      await given(context, 'two', { key: customerKey(), ...inVersioned(context) })
      const source = `/${context.versioned}/${context.objectKey}?versionId=${versionId}`
      const headers = { 'x-amz-copy-source': source, ...keyHeaders(key, 'source'), ...keyHeaders(target) }
      const answer = await on(context, 'PUT', { ...inVersioned(context), headers })
      if (answer.status !== 200) return sayProof(answer, target)
      const got = await on(context, 'GET', { ...inVersioned(context), headers: keyHeaders(target) })
      const named = answer.headers['x-amz-copy-source-version-id'] === versionId ? 'source named' : 'source not named'
      return `${sayProof(answer, target)}, ${named}, ${sayBody(got, 'one')}`
    },
  },
  {
    name: 'a delete marker hides and uncovers an SSE-C object',
    run: async (context) => {
      const key = customerKey()
      await given(context, 'one', { key, ...inVersioned(context) })
      const marked = await on(context, 'DELETE', inVersioned(context))
      const hidden = await on(context, 'GET', { ...inVersioned(context), headers: keyHeaders(key) })
      const versionId = versionOf(marked.headers)
      const named = await on(context, 'HEAD', { ...inVersioned(context), query: { versionId } })
      await on(context, 'DELETE', { ...inVersioned(context), query: { versionId } })
      const back = await on(context, 'GET', { ...inVersioned(context), headers: keyHeaders(key) })
      return `${marked.status} marker ${marked.headers['x-amz-delete-marker'] ?? 'no'}, ${hidden.status} ${hidden.code} marker ${hidden.headers['x-amz-delete-marker'] ?? 'no'}, ${named.status}, ${sayBody(back, 'one')}`
    },
  },
  {
    name: 'ListObjectVersions names versions and markers, newest first',
    run: async (context) => {
      await given(context, 'one', inVersioned(context))
      await given(context, 'three', { key: customerKey(), ...inVersioned(context) })
      await on(context, 'DELETE', inVersioned(context))
      const query = { versions: '', prefix: context.objectKey }
      const text = (await context.raw.send({ method: 'GET', path: `/${context.versioned}`, query })).body.toString()
      const sizes = [...text.matchAll(/<Size>(\d+)</g)].map((found) => found[1]).join(' ')
      return `${elementText(text, 'Key') === context.objectKey ? 'named' : 'not named'}, ${text.includes('<DeleteMarker>') ? 'marker' : 'no marker'}, sizes ${sizes}`
    },
  },
  {
    name: 'GetObject of a version that is not there',
    run: async (context) => {
      const versionId = versionOf((await given(context, 'one', inVersioned(context))).headers)
      const other = versionOf(
        (await given(context, 'two', { objectKey: `${context.objectKey}-2`, ...inVersioned(context) })).headers,
      )
      await on(context, 'DELETE', { ...inVersioned(context), query: { versionId } })
      return say(await on(context, 'GET', { ...inVersioned(context), query: { versionId: other } }))
    },
  },
  {
    name: 'writes and reads while SSE-C is blocked on the bucket',
    run: async (context) => {
      const key = customerKey()
      const source = `${context.objectKey}-source`
      await given(context, 'before', { key })
      await given(context, 'plain', { objectKey: source })
      const blocked = await block(context, context.bucket, 'SSE-C')
      if (!blocked.startsWith('200')) return blocked
      const headers = keyHeaders(key)
      const answers = [
        await on(context, 'PUT', { objectKey: `${context.objectKey}-new`, body: 'data', headers }),
        await on(context, 'POST', { objectKey: `${context.objectKey}-new`, query: { uploads: '' }, headers }),
        await on(context, 'PUT', {
          objectKey: `${context.objectKey}-new`,
          headers: { 'x-amz-copy-source': `/${context.bucket}/${source}`, ...headers },
        }),
        await on(context, 'PUT', { objectKey: source, body: 'plain' }),
        await on(context, 'GET', { headers }),
      ].map(say)
      const shown = await context.raw.send({ method: 'GET', path: `/${context.bucket}`, query: { encryption: '' } })
      await block(context, context.bucket, 'NONE')
      const lifted = await on(context, 'PUT', { objectKey: `${context.objectKey}-new`, body: 'data', headers })
      return `${answers.join('; ')}; shown ${elementText(shown.body.toString(), 'EncryptionType')}; lifted ${lifted.status}`
    },
  },
]
