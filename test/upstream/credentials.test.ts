import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { SecretAccessKey, type AwsCredentials } from '../../src/sigv4/types.js'
import { credentialSource, refreshed, type SdkProvider } from '../../src/upstream/credentials.js'

/** What a source gave, with its secrets laid open. */
const open = ({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials): readonly string[] => [
  accessKeyId,
  secretAccessKey.reveal(),
  sessionToken === 'none' ? 'none' : sessionToken.reveal(),
]

/** Only these AWS_ variables, for one test; no profile files but those named, and no request to IMDS. */
function environment(t: Test, variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env }
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name)
  const nowhere = { AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_CONFIG_FILE: '/dev/null' }
  Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: 'true', ...nowhere, ...variables })
  t.teardown(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, before)
  })
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'credentials-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

async function server(t: Test, answer: (request: IncomingMessage, body: string) => string): Promise<string> {
  const listening = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => response.end(answer(request, body)))
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    listening.closeAllConnections()
    listening.close()
  })
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

const later = (): string => new Date(Date.now() + 3_600_000).toISOString()

t.test('static credentials, with and without a session token', async (t) => {
  const secretAccessKey = new SecretAccessKey('sk')
  const plain = credentialSource({ type: 'static', accessKeyId: 'AK', secretAccessKey, sessionToken: 'none' })
  t.same(open(await plain()), ['AK', 'sk', 'none'])
  const sessionToken = new SecretAccessKey('st')
  const session = credentialSource({ type: 'static', accessKeyId: 'AK', secretAccessKey, sessionToken })
  t.same(open(await session()), ['AK', 'sk', 'st'])
})

t.test('the default chain: environment', async (t) => {
  environment(t, { AWS_ACCESS_KEY_ID: 'AKENV', AWS_SECRET_ACCESS_KEY: 'sk-env', AWS_SESSION_TOKEN: 'st-env' })
  const credentials = await credentialSource({ type: 'default' })()
  t.same(open(credentials), ['AKENV', 'sk-env', 'st-env'])
  t.notMatch(inspect(credentials, { depth: 9 }) + JSON.stringify(credentials), /sk-env|st-env/)
})

t.test('an access key id that no Authorization header can name', async (t) => {
  for (const odd of ['AKENV\n', 'AK ENV', 'AK,ENV', 'AK/ENV', 'AK\r\nx-amz-acl: public-read', '']) {
    const source = refreshed(async () => ({ accessKeyId: odd, secretAccessKey: 'sk' }), {
      now: () => new Date(),
      warn: () => undefined,
    })
    const error = await Promise.resolve(source()).catch((cause: unknown) => cause)
    t.match(error, { message: /access key id for the upstream.*AWS_ACCESS_KEY_ID/ }, JSON.stringify(odd))
  }
})

t.test('profiles: one by name, and the one of the environment', async (t) => {
  const file = join(folder(t), 'credentials')
  writeFileSync(
    file,
    '[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = sk-default\n' +
      '[other]\naws_access_key_id = AKOTHER\naws_secret_access_key = sk-other\naws_session_token = st-other\n',
  )
  environment(t, { AWS_SHARED_CREDENTIALS_FILE: file })
  t.same(open(await credentialSource({ type: 'profile', profile: 'other' })()), ['AKOTHER', 'sk-other', 'st-other'])
  t.same(open(await credentialSource({ type: 'default' })()), ['AKDEFAULT', 'sk-default', 'none'])
  process.env['AWS_PROFILE'] = 'other'
  t.same(open(await credentialSource({ type: 'default' })()), ['AKOTHER', 'sk-other', 'st-other'])
  await t.rejects(async () => credentialSource({ type: 'profile', profile: 'absent' })(), /absent/)
})

t.test('EKS Pod Identity and ECS: the container endpoint, with the token of a file', async (t) => {
  const token = join(folder(t), 'token')
  writeFileSync(token, 'pod-token')
  const asked: (string | undefined)[] = []
  const url = await server(t, (request) => {
    asked.push(request.headers.authorization)
    return JSON.stringify({ AccessKeyId: 'AKPOD', SecretAccessKey: 'sk-pod', Token: 'st-pod', Expiration: later() })
  })
  environment(t, {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
  })
  const source = credentialSource({ type: 'default' })
  const all = await Promise.all([source(), source(), source()])
  for (const credentials of all) t.same(open(credentials), ['AKPOD', 'sk-pod', 'st-pod'])
  t.same(asked, ['pod-token'], 'asked once')
})

t.test('IRSA: web identity with the token of a file', async (t) => {
  const token = join(folder(t), 'token')
  writeFileSync(token, 'jwt')
  const url = await server(t, (_request, body) => {
    const query = new URLSearchParams(body)
    t.match(Object.fromEntries(query), {
      Action: 'AssumeRoleWithWebIdentity',
      WebIdentityToken: 'jwt',
      RoleArn: /s3-role/,
    })
    return (
      '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
      '<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKWEB</AccessKeyId>' +
      '<SecretAccessKey>sk-web</SecretAccessKey><SessionToken>st-web</SessionToken>' +
      `<Expiration>${later()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>` +
      '</AssumeRoleWithWebIdentityResponse>'
    )
  })
  environment(t, {
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/s3-role',
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_STS: url,
  })
  t.same(open(await credentialSource({ type: 'default' })()), ['AKWEB', 'sk-web', 'st-web'])
})

t.test('nothing anywhere: the caller is told', async (t) => {
  environment(t, {})
  await t.rejects(async () => credentialSource({ type: 'default' })(), /Could not load credentials/)
})

/** A provider whose answers the test gives one by one, and a clock that it sets. */
function staged() {
  let now = Date.parse('2026-11-23T12:00:00Z')
  const waiting: { resolve(value: Awaited<ReturnType<SdkProvider>>): void; reject(error: Error): void }[] = []
  const warnings: string[] = []
  let calls = 0
  const source = refreshed(
    (options) => {
      calls += 1
      if (!options.forceRefresh) throw new Error('an old answer may come back')
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    { now: () => new Date(now), warn: (message) => warnings.push(message) },
  )
  return {
    source,
    warnings,
    calls: () => calls,
    pass: (seconds: number) => (now += seconds * 1000),
    give: async (id: string, lifetime: number | 'for good') => {
      const expiration = lifetime === 'for good' ? {} : { expiration: new Date(now + lifetime * 1000) }
      waiting.shift()!.resolve({ accessKeyId: id, secretAccessKey: 's', ...expiration })
      await turn()
    },
    refuse: async () => {
      waiting.shift()!.reject(new Error('the endpoint is away'))
      await turn()
    },
    id: async () => (await source()).accessKeyId,
  }
}

t.test('many callers, one request', async (t) => {
  const { give, id, calls } = staged()
  const all = [id(), id(), id()]
  await give('first', 3600)
  t.same(await Promise.all(all), ['first', 'first', 'first'])
  t.equal(await id(), 'first')
  t.equal(calls(), 1)
})

t.test('what is held is there at once', async (t) => {
  const secretAccessKey = new SecretAccessKey('sk')
  const plain = credentialSource({ type: 'static', accessKeyId: 'AK', secretAccessKey, sessionToken: 'none' })
  t.match(plain(), { accessKeyId: 'AK' })
  const { source, give, id, pass } = staged()
  const first = id()
  await give('first', 3600)
  await first
  t.match(source(), { accessKeyId: 'first' })
  pass(3400)
  t.match(source(), { accessKeyId: 'first' }, 'while they are refreshed')
  await give('second', 10)
  t.type(source(), Promise, 'too near their end: new ones are waited for')
})

t.test('a failure is not kept', async (t) => {
  const { give, refuse, id } = staged()
  const failed = Promise.allSettled([id(), id()])
  await refuse()
  t.same((await failed).map(({ status }) => status), ['rejected', 'rejected']) // prettier-ignore
  const next = id()
  await give('second', 3600)
  t.equal(await next, 'second')
})

t.test('credentials without an end are never asked for again', async (t) => {
  const { give, id, pass, calls } = staged()
  const first = id()
  await give('static', 'for good')
  await first
  pass(10 * 365 * 86_400)
  t.equal(await id(), 'static')
  t.equal(calls(), 1)
})

t.test('five minutes before the end they are refreshed, without making a request wait', async (t) => {
  const { give, id, pass, calls } = staged()
  const first = id()
  await give('first', 3600)
  await first
  pass(3600 - 301)
  t.equal(await id(), 'first')
  t.equal(calls(), 1)
  pass(2)
  t.same(await Promise.all([id(), id()]), ['first', 'first'])
  t.equal(calls(), 2, 'one refresh')
  await give('second', 3600)
  t.equal(await id(), 'second')
  t.equal(calls(), 2)
})

t.test('when a refresh fails the old ones serve until their end, and the refresh is repeated in time', async (t) => {
  const { give, refuse, id, pass, calls, warnings } = staged()
  const first = id()
  await give('first', 3600)
  await first
  pass(3400)
  t.equal(await id(), 'first')
  await refuse()
  t.equal(warnings.length, 1)
  t.equal(await id(), 'first')
  t.equal(calls(), 2, 'not at every request')
  pass(11)
  t.equal(await id(), 'first')
  t.equal(calls(), 3)
  await refuse()
  pass(180) // nine seconds before the end
  const last = id()
  await refuse()
  t.equal(await last, 'first', 'still valid')
  pass(10)
  const over = id()
  over.catch(() => undefined)
  await refuse()
  await t.rejects(over, /away/)
  const back = id()
  await give('second', 3600)
  t.equal(await back, 'second')
})

t.test('close to the end a request waits for new ones', async (t) => {
  const { give, id, pass } = staged()
  const first = id()
  await give('first', 3600)
  await first
  pass(3590)
  const next = id()
  await give('second', 3600)
  t.equal(await next, 'second')
})

t.test('credentials that come expired are none', async (t) => {
  const { give, id } = staged()
  const first = id()
  first.catch(() => undefined)
  await give('old', -1)
  await t.rejects(first, /expired/)
})
