import type {
  AccessKeyConfig,
  Config,
  CredentialConfig,
  IdentityConfig,
  ListenerConfig,
  RuleConfig,
} from '../config/types.js'
import { checkOf, type KeyringContents } from '../keyring/keyring-file.js'

/** What a configuration comes to, for people: names, addresses, key version ids and check values; never a secret. */
export function summarise(config: Config, keyrings: readonly KeyringContents[]): string {
  const { admin, baseDomains, workers } = config
  return [
    ...section('listeners', [
      ...config.listeners.map(listener),
      admin.type === 'off' ? 'no metrics and health checks' : `metrics and health checks on ${address(admin)}`,
      ...(baseDomains.length === 0 ? [] : [`buckets before ${baseDomains.join(', ')}`]),
      ...(workers === 1 ? [] : [`${workers} workers`]),
    ]),
    ...section('upstream', upstream(config)),
    ...section('identities', config.identities.flatMap(identity)),
    ...section('keyrings', keyrings.flatMap(keyring)),
    ...section('rules', config.rules.map(rule)),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)]

const address = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port === 0 ? '(free port)' : port}`

function listener(config: ListenerConfig): string {
  switch (config.type) {
    case 'https':
      return `https://${address(config)}${config.clientCa.type === 'file' ? ', client certificates required' : ''}`
    case 'http':
      return `http://${address(config)}${unsigned(config.anonymous)}`
    case 'unix':
      return `unix ${JSON.stringify(config.path)}${unsigned(config.anonymous)}`
  }
}

const unsigned = (anonymous: string): string => (anonymous === 'none' ? '' : `, without a signature as ${anonymous}`)

function upstream({
  upstream: { endpoint, region, addressing, ca, credentials, trailingChecksums, preflight },
}: Config): string[] {
  return [
    `https://${address({ host: endpoint.hostname, port: endpoint.port })}, ${addressing} style`,
    region.type === 'fixed' ? `region ${region.region}` : `region learned per bucket, ${region.first} first`,
    `credentials: ${credential(credentials)}`,
    `certificates of ${ca.type === 'system' ? "the system's CAs" : `the CAs in ${JSON.stringify(ca.file)} only`}`,
    ...(trailingChecksums === 'verify' ? ['trailing checksums are verified here'] : []),
    ...(preflight === 'off' ? [] : [`buckets are looked at when the proxy starts (${preflight})`]),
  ]
}

function credential(config: CredentialConfig): string {
  switch (config.type) {
    case 'static':
      return `an access key${config.sessionToken === 'none' ? '' : ' with a session token'}`
    case 'default':
      return 'the AWS chain'
    case 'profile':
      return `profile ${JSON.stringify(config.profile)}`
  }
}

function identity({ name, authentication, grants, upstreamCredentials }: IdentityConfig): string[] {
  const own =
    upstreamCredentials === 'shared' ? '' : `, upstream credentials of its own: ${credential(upstreamCredentials)}`
  return [
    `${name}${authentication.type === 'anonymous' ? ', anonymous' : signedWith(authentication)}${own}`,
    ...grants.map(({ bucket, prefixes, permissions }) => {
      const all = prefixes.includes('')
      return `  ${bucket}${all ? '' : ` under ${prefixes.map(quoted).join(', ')}`}: ${permissions.join(', ')}`
    }),
  ]
}

/** What differs from version 4 alone. */
function signedWith({ signatures, presignedV2LifetimeMs }: AccessKeyConfig): string {
  if (!signatures.includes('v2')) return ''
  const bound =
    presignedV2LifetimeMs === Infinity
      ? 'presigned for any time'
      : `presigned for ${presignedV2LifetimeMs / 1000} s at most`
  return `, signature version 2 ${signatures.includes('v4') ? 'too' : 'alone'}, ${bound}`
}

const WHERE = { plain: '', wrapped: ', wrapped by', mac: ', a key in KMS:' } as const

function keyring(contents: KeyringContents): string[] {
  if (contents.type === 'objects') return [`${contents.name}, objects: ${contents.objects.length} keys`]
  return [
    `${contents.name}, ${contents.type}`,
    ...contents.versions.map(
      (version) =>
        `  ${version.id}: ${version.state}, check value ${checkOf(version)}${WHERE[version.type]}${version.type === 'plain' ? '' : ` ${version.kmsKeyId}`}`,
    ),
  ]
}

function rule({ bucket, prefix, keys, etag }: RuleConfig): string {
  const scope = prefix === '' ? bucket : `${bucket} under ${quoted(prefix)}`
  const relay = keys.clientKeys === 'relay' ? [`clients' own keys are relayed`] : []
  const etags = {
    opaque: [],
    passthrough: ['ETags as they are'],
    md5: ['ETags are MD5s (the upstream is probed for them when `serve` starts)'],
  }[etag]
  if (keys.type === 'plain') return [`${scope}: in the clear`, ...relay, ...etags].join(', ')
  return [
    `${scope}: ${keys.keyring}`,
    ...keys.alsoRead.map((name) => `also read with ${name}`),
    ...(keys.bucketIdentity === 'bucket' ? [] : [`keys of bucket ${keys.bucketIdentity}`]),
    ...(keys.plaintext === 'allow' ? ['plain objects may be read'] : []),
    ...(keys.clientEncryption === 'reject' ? [`clients' wishes for another encryption are refused`] : []),
    ...relay,
    ...etags,
  ].join(', ')
}

/** Prefixes may hold anything, line feeds and the terminal's control characters too. */
const quoted = (text: string): string => JSON.stringify(text)
