import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { DataKey, Keyring } from '../../src/keyring/port.js'
import type { MaintenanceAnswer, MaintenanceRequest, UpstreamAccess } from '../../src/maintenance/access.js'
import { escapeXml } from '../../src/s3/xml-text.js'
import { testAccess } from '../support/access.js'
import { encryptedRule } from '../support/proxy-in-process.js'
import { altering, main, nameOf, startStand, sums, without } from './stand.js'

type Stand = Awaited<ReturnType<typeof startStand>>

async function locks(t: Test): Promise<Stand> {
  const stand = await startStand(t)
  stand.origin.setVersioning('bucket', 'Enabled')
  const body = '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>'
  const answer = await stand.call('PUT', '', { query: { 'object-lock': '' }, body })
  t.equal(answer.status, 200, answer.text)
  return stand
}

/** S3 wants a checksum beside a retention. */
const md5Of = (body: string) => ({ 'content-md5': createHash('md5').update(body).digest('base64') })

t.test('a retention that is over is not asked for again, and one in force is kept', async (t) => {
  const stand = await locks(t)
  const until = (ms: number) => ({
    'x-amz-object-lock-mode': 'GOVERNANCE',
    'x-amz-object-lock-retain-until-date': new Date(Date.now() + ms).toISOString(),
    'x-amz-object-lock-legal-hold': 'ON',
  })
  const long = until(3_600_000)
  for (const [name, body] of [
    ['over', 'a'],
    ['over, large', 'a'.repeat(1500)],
  ] as const) {
    await stand.store(name, 'v1', body, { ...until(900), ...md5Of(body) })
  }
  await stand.store('held', 'v1', 'a', { ...long, ...md5Of('a') })
  await stand.store('held, large', 'v1', 'a'.repeat(1500), { ...long, ...md5Of('a'.repeat(1500)) })
  await delay(1_000)
  const again = await stand.call('PUT', 'refused', { headers: { ...until(-1000), ...md5Of('a') }, body: 'a' })
  t.match([again.status, again.code, again.text], [400, 'InvalidArgument', /must be in the future/])
  const result = await stand.run()
  t.strictSame([sums(result), [...result.failures]], [{ listed: 4, moved: 4 }, []])
  for (const name of ['over', 'over, large']) {
    const { headers } = await stand.read(name, 'v2', 'HEAD')
    t.equal(headers['x-amz-object-lock-mode'], undefined, name)
    t.equal(headers['x-amz-object-lock-legal-hold'], 'ON', name)
  }
  for (const name of ['held', 'held, large']) {
    const { headers } = await stand.read(name, 'v2', 'HEAD')
    for (const [header, value] of Object.entries(long)) t.equal(headers[header], value, `${name} ${header}`)
  }
})

t.test('a retention that ends while parts are copied does not begin the copy anew', async (t) => {
  const stand = await locks(t)
  await stand.store('large', 'v1', 'a'.repeat(1500), {
    'x-amz-object-lock-mode': 'GOVERNANCE',
    'x-amz-object-lock-retain-until-date': new Date(Date.now() + 1_500).toISOString(),
    ...md5Of('a'.repeat(1500)),
  })
  let created = 0
  const access = altering(stand.access(), async (request) => {
    if (nameOf(request) !== 'large') return request
    if (request.query.has('uploads')) created += 1
    if (request.query.get('partNumber') === '4') await delay(1_600)
    return request
  })
  t.strictSame(sums(await stand.run({}, {}, undefined, access)), { listed: 1, moved: 1 })
  t.equal(created, 1)
})

t.test('a copy that lost something stays a failure until it is mended, written anew, or said to be good', async (t) => {
  const stand = await startStand(t)
  for (const name of ['mended', 'left', 'rewritten', 'deleted', 'well']) {
    await stand.store(name, 'v1', name, { 'x-amz-tagging': 'a=1', 'x-amz-meta-a': 'b' })
  }
  const losing = altering(stand.access(), (request) =>
    nameOf(request) !== 'well' && request.headers['x-amz-copy-source'] !== undefined
      ? { ...request, headers: { ...request.headers, 'x-amz-tagging-directive': 'REPLACE' } }
      : request,
  )
  const reason = /^it was copied, and the copy differs in number of tags\. The journal tells what it was: mend it/
  const first = await stand.run({}, {}, stand.journal(), losing)
  t.strictSame(sums(first), { listed: 5, moved: 1, failed: 4 })
  for (const told of first.failures.values()) t.match(told, reason)
  t.match(readFileSync(join(stand.folder, 'journal'), 'utf8'), /"was":\{"number of tags":"1"\}/)
  const second = await stand.run({}, {}, stand.journal())
  t.strictSame(sums(second), { listed: 5, moved: 1, failed: 4 }, 'they open with the active key, and that is not all')
  t.strictSame(second.failures, first.failures)

  const body = '<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>'
  t.equal((await stand.call('PUT', 'mended', { query: { tagging: '' }, body })).status, 200)
  await stand.store('rewritten', 'v2', 'by a client')
  await stand.call('DELETE', 'deleted')
  const third = await stand.run({}, {}, stand.journal())
  t.strictSame(sums(third), { listed: 5, moved: 2, already: 1, gone: 1, failed: 1 })
  t.strictSame([...third.failures.keys()], ['left'])
  t.strictSame(sums(await stand.run({}, {}, stand.journal('another'))), { listed: 4, already: 4 })
  appendFileSync(
    join(stand.folder, 'journal'),
    '{"type":"object","page":1,"key":"a","outcome":{"type":"failed","reason":"","stop":false,"copy":{}}}\n',
  )
  t.throws(() => stand.journal(), { message: /is damaged; remove the journal to begin again/ })
})

/** An access whose answers are altered on their way back. */
const answered = (
  access: UpstreamAccess,
  alter: (answer: MaintenanceAnswer, request: MaintenanceRequest) => MaintenanceAnswer,
): UpstreamAccess => ({ ...access, send: async (request) => alter(await access.send(request), request) })

t.test('an ETag without quotes, or none, is no sign of a client’s write', async (t) => {
  for (const [what, write] of [
    ['without quotes', (etag: string) => etag.replaceAll('&quot;', '')],
    ['none', () => ''],
    ['of something else', () => '&quot;abc&quot;'],
  ] as const) {
    const stand = await startStand(t)
    for (const [name, size] of [
      ['small', 10],
      ['large', 1500],
    ] as const) {
      await stand.store(name, 'v1', 'x'.repeat(size), { 'x-amz-storage-class': 'STANDARD_IA' })
    }
    const losing = altering(stand.access(), (request) => without(request, (name) => name === 'x-amz-storage-class'))
    const access = answered(losing, (answer, { method, headers }) =>
      headers['x-amz-copy-source'] !== undefined || method === 'POST'
        ? { ...answer, body: Buffer.from(written(answer.body.toString(), write)) }
        : answer,
    )
    const result = await stand.run({}, {}, undefined, access)
    t.strictSame(sums(result), { listed: 2, failed: 2 }, `${what}: what was lost is seen`)
    for (const reason of result.failures.values()) t.match(reason, /the copy differs in x-amz-storage-class/)
  }
  const stand = await startStand(t)
  await stand.store('object', 'v1')
  const bare = answered(stand.access(), (answer, request) =>
    request.method === 'HEAD' && nameOf(request) === 'object'
      ? { ...answer, fields: new Map([...answer.fields].filter(([name]) => name !== 'etag')) }
      : answer,
  )
  const result = await stand.run({}, {}, undefined, bare)
  t.match(result.failures.get('object'), /shows no ETag of it, which its copy could depend on/)
  t.equal((await stand.read('object', 'v1')).status, 200, 'nothing was copied without a condition')
})

/** Of a part's ETag everything depends on what the store gave. */
const written = (xml: string, write: (etag: string) => string): string =>
  xml.includes('CopyPartResult')
    ? xml
    : xml.replace(/<ETag>([^<]*)<\/ETag>/, (_, etag: string) => `<ETag>${write(etag)}</ETag>`)

t.test('a probe of copies in parts that failed is tried again for the next large object', async (t) => {
  const stand = await startStand(t)
  for (const name of ['a', 'b', 'c']) await stand.store(name, 'v1', 'x'.repeat(1500))
  let probes = 0
  stand.origin.faults.intercept = ({ method, target }) => {
    if (method !== 'POST' || !/probe-[0-9a-f]+\?uploads/.test(target)) return { type: 'proceed' }
    probes += 1
    return probes === 1
      ? { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
      : { type: 'proceed' }
  }
  const result = await stand.run({ concurrency: 1 })
  t.strictSame(sums(result), { listed: 3, moved: 2, failed: 1 })
  t.match(result.failures.get('a'), /^CreateMultipartUpload of a probe, under a customer key: .*AccessDenied/)
  t.equal(probes, 2, 'and once it has succeeded, never again')
})

t.test(
  'a key version that becomes active in the middle ends the run: what it says of its target stays true',
  async (t) => {
    const stand = await startStand(t)
    for (const name of ['a', 'b', 'c', 'd']) await stand.store(name, 'v2')
    let active = 'v1'
    const turning: Keyring = {
      ...main,
      keyVersions: () => [active, active === 'v1' ? 'v2' : 'v1'],
      forWrite: async (scope) => (await main.forVersion(scope, active)) as DataKey,
    }
    const access = testAccess(t, { upstream: stand.upstream, rules: [encryptedRule('*', 'main')], keyrings: [turning] })
    const progress = {
      total: () => undefined,
      done: ({ moved }: { moved: number }) => {
        if (moved === 2) active = 'v2'
      },
    }
    const result = await stand.run(
      { concurrency: 1 },
      { progress },
      stand.journal('journal', { targets: ['main v1'] }),
      access,
    )
    t.strictSame(sums(result), { listed: 2, moved: 2 })
    t.match(result.end, {
      stopped: /^key version main v2 became active meanwhile; run this again, with another journal/,
    })
    t.equal((await stand.read('c', 'v2')).status, 200)
  },
)

/** An origin as it was before 2023: objects have ACLs, and a copy gets none but its writer's full control. */
function withAcls(access: UpstreamAccess, acls: Map<string, readonly string[]>, owner = 'us') {
  const kept = new Map<string, string>(Object.entries(NAMES))
  const created = new Map<string, readonly string[]>()
  const send = async (request: MaintenanceRequest): Promise<MaintenanceAnswer> => {
    const name = nameOf(request)
    if (request.query.has('ownershipControls'))
      return answerOf(404, '<Error><Code>OwnershipControlsNotFoundError</Code></Error>')
    if (request.query.has('acl')) return answerOf(200, aclDocument(owner, acls.get(name) ?? [`FULL_CONTROL id="us"`]))
    const granted = [...kept].flatMap(([header, permission]) =>
      (request.headers[header] ?? '')
        .split(', ')
        .filter((grantee) => grantee !== '')
        .map((grantee) => `${permission} ${grantee}`),
    )
    const answer = await access.send(without(request, (header) => kept.has(header)))
    const told = granted.length === 0 ? ['FULL_CONTROL id="us"'] : granted
    if (request.query.has('uploads')) created.set(name, told)
    else if (request.method === 'POST') acls.set(name, created.get(name) ?? told)
    else if (request.headers['x-amz-copy-source'] !== undefined && !request.query.has('partNumber'))
      acls.set(name, told)
    return answer
  }
  return { ...access, send }
}

const NAMES = {
  'x-amz-grant-full-control': 'FULL_CONTROL',
  'x-amz-grant-read': 'READ',
  'x-amz-grant-read-acp': 'READ_ACP',
  'x-amz-grant-write-acp': 'WRITE_ACP',
}

const answerOf = (status: number, text: string): MaintenanceAnswer => ({
  status,
  fields: new Map(),
  body: Buffer.from(text),
  code: status === 200 ? 'none' : 'Error',
})

function aclDocument(owner: string, grants: readonly string[]): string {
  const shown = grants.map((grant) => {
    const [, permission = '', kind = '', value = ''] = /^(\w+) (id|uri)="(.*)"$/.exec(grant) ?? []
    const element = kind.toUpperCase()
    return `<Grant><Grantee><${element}>${escapeXml(value)}</${element}></Grantee><Permission>${permission}</Permission></Grant>`
  })
  return `<AccessControlPolicy><Owner><ID>${owner}</ID></Owner><AccessControlList>${shown.join('')}</AccessControlList></AccessControlPolicy>`
}

const ALL_USERS = 'READ uri="http://acs.amazonaws.com/groups/global/AllUsers"'

t.test('grants are kept, the full control of another account too, and looked at behind the copy', async (t) => {
  const stand = await startStand(t)
  const before: Readonly<Record<string, readonly string[]>> = {
    usual: ['FULL_CONTROL id="us"'],
    public: ['FULL_CONTROL id="us"', ALL_USERS],
    'of another account': ['FULL_CONTROL id="them"'],
    'of another account, shared': ['FULL_CONTROL id="them"', 'FULL_CONTROL id="us"', 'READ_ACP id="third"'],
    'public, large': ['FULL_CONTROL id="us"', ALL_USERS],
  }
  for (const name of Object.keys(before)) await stand.store(name, 'v1', 'x'.repeat(name.includes('large') ? 1500 : 10))
  const acls = new Map(Object.entries(before))
  const result = await stand.run({}, {}, undefined, withAcls(stand.access(), acls))
  t.strictSame([sums(result), [...result.failures]], [{ listed: 5, moved: 5 }, []])
  for (const [name, grants] of Object.entries(before)) t.strictSame(acls.get(name), grants, name)
})

t.test('a store that drops grants is noticed, and what was lost is told until it is back', async (t) => {
  const stand = await startStand(t)
  await stand.store('public', 'v1')
  await stand.store('usual', 'v1')
  const acls = new Map<string, readonly string[]>([['public', ['FULL_CONTROL id="us"', ALL_USERS]]])
  const store = withAcls(stand.access(), acls)
  const dropping = altering(store, (request) => without(request, (name) => name in NAMES))
  const first = await stand.run({}, {}, stand.journal(), dropping)
  t.strictSame(sums(first), { listed: 2, moved: 1, failed: 1 })
  t.match(first.failures.get('public'), /the copy differs in its ACL\. The journal tells what it was/)
  t.match(readFileSync(join(stand.folder, 'journal'), 'utf8'), 'global/AllUsers')
  t.strictSame(sums(await stand.run({}, {}, stand.journal(), store)), { listed: 2, moved: 1, failed: 1 })
  acls.set('public', ['FULL_CONTROL id="us"', ALL_USERS])
  t.strictSame(sums(await stand.run({}, {}, stand.journal(), store)), { listed: 2, moved: 2 })
})

t.test('a grant that is given while parts are copied is one of the copy', async (t) => {
  const stand = await startStand(t)
  await stand.store('large', 'v1', 'x'.repeat(1500))
  const acls = new Map<string, readonly string[]>()
  const access = altering(withAcls(stand.access(), acls), (request) => {
    const isLast = nameOf(request) === 'large' && request.query.get('partNumber') === '4'
    if (isLast && !isGiven) {
      isGiven = true
      acls.set('large', ['FULL_CONTROL id="us"', ALL_USERS])
    }
    return request
  })
  let isGiven = false
  t.strictSame(sums(await stand.run({}, {}, undefined, access)), { listed: 1, moved: 1 })
  t.strictSame(acls.get('large'), ['FULL_CONTROL id="us"', ALL_USERS])
})

t.test('what a store does not take over is told to it, and only where an object has it', async (t) => {
  const stand = await startStand(t)
  const described = { 'x-amz-meta-a': 'b', 'content-type': 'text/x-test', 'cache-control': 'no-store' }
  const expires = { expires: 'Wed, 25 Nov 2037 02:00:00 GMT' }
  await stand.store('dated', 'v1', 'dated', { ...described, ...expires })
  await stand.store('undated', 'v1', 'undated', described)
  const directives = new Map<string, string | undefined>()
  const probe = { 'content-disposition': 'attachment', 'content-language': 'en', 'x-amz-meta-ssec-proxy': 'probe' }
  const losing = altering(stand.access(), (request) => {
    if (request.headers['x-amz-copy-source'] === undefined) return request
    const directive = request.headers['x-amz-metadata-directive']
    directives.set(nameOf(request), directive)
    if (!nameOf(request).includes('probe')) return request
    t.equal(directive, undefined, 'the probe asks for nothing')
    const told = { 'cache-control': 'no-store', 'content-type': 'text/plain', 'x-amz-metadata-directive': 'REPLACE' }
    return { ...request, headers: { ...request.headers, ...probe, ...told } }
  })
  t.strictSame(sums(await stand.run({}, {}, undefined, losing)), { listed: 2, moved: 2 })
  t.strictSame([directives.get('dated'), directives.get('undated')], ['REPLACE', 'COPY'])
  const { headers } = await stand.read('dated', 'v2')
  for (const [name, value] of Object.entries({ ...described, ...expires })) t.equal(headers[name], value, name)
})
