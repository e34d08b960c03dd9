import { resolve } from 'node:path'
import { SecretAccessKey } from '../sigv4/types.js'
import type {
  ConfigDocument,
  CredentialDocument,
  IdentityDocument,
  KmsDocument,
  ListenerDocument,
  RuleDocument,
} from './document.js'
import { LONGEST_LIFETIME_MS, parseDuration } from './duration.js'
import { parseEndpoint } from './endpoint.js'
import { kmsEndpoint } from './kms-endpoint.js'
import { formatPath, type Path } from './problem.js'
import type { ResolvedTexts } from './secrets.js'
import type {
  Config,
  CredentialConfig,
  IdentityConfig,
  KeyringConfig,
  KmsConfig,
  ListenerConfig,
  RuleConfig,
  UpstreamConfig,
} from './types.js'

/** What a document without problems means. Throws where something was not checked before: a fault of this program. */
export function buildConfig(document: ConfigDocument, texts: ResolvedTexts, baseDirectory: string): Config {
  const file = (path: string): string => resolve(baseDirectory, path)
  const { admin, log, timeouts } = document
  return {
    listeners: document.listeners.map((listener) => buildListener(listener, file)),
    baseDomains: document.baseDomains.map((domain) => domain.toLowerCase()),
    clientRegions: document.clientRegions,
    upstream: buildUpstream(document.upstream, texts, file),
    identities: document.identities.map((identity, i) => buildIdentity(identity, ['identities', i], texts)),
    keyrings: document.keyrings.map((_, i) => buildKeyring(document, i, texts, file)),
    rules: document.rules.map(buildRule),
    admin: admin === undefined ? { type: 'off' } : { type: 'on', host: admin.host, port: admin.port },
    log: { level: log.level, objectKeys: log.objectKeys },
    audit: buildAudit(document.audit, file),
    tracing: buildTracing(document.tracing, file),
    workers: document.workers,
    rememberedObjects: document.rememberedObjects,
    timeouts: {
      headersMs: milliseconds(timeouts.headers),
      clientIdleMs: milliseconds(timeouts.clientIdle),
      keepAliveMs: milliseconds(timeouts.keepAlive),
      drainMs: milliseconds(timeouts.drain),
    },
  }
}

type ResolveFile = (path: string) => string

function buildListener({ https, http, unix }: ListenerDocument, file: ResolveFile): ListenerConfig {
  if (https !== undefined) {
    const { host, port, cert, key, clientCa } = https
    return {
      type: 'https',
      host,
      port,
      tls: { certFile: file(cert), keyFile: file(key) },
      clientCa: optionalFile(clientCa, file, 'none'),
    }
  }
  if (http !== undefined) return { type: 'http', host: http.host, port: http.port, anonymous: http.anonymous ?? 'none' }
  if (unix !== undefined) return { type: 'unix', path: file(unix.path), anonymous: unix.anonymous ?? 'none' }
  throw new TypeError('a listener without a type passed the schema')
}

function buildAudit(audit: ConfigDocument['audit'], file: ResolveFile): Config['audit'] {
  if (audit === undefined) return { type: 'off' }
  const { objectKeys, onFailure, stdout } = audit
  if (audit.file !== undefined)
    return { type: 'on', to: { type: 'file', path: file(audit.file) }, objectKeys, onFailure }
  if (stdout === undefined) throw new TypeError('an audit log was not checked')
  return { type: 'on', to: { type: 'stdout' }, objectKeys, onFailure }
}

function buildTracing(tracing: ConfigDocument['tracing'], file: ResolveFile): Config['tracing'] {
  if (tracing === undefined) return { type: 'off' }
  const { endpoint, ca, serviceName, sampleRatio } = tracing
  return { type: 'on', endpoint, ca: optionalFile(ca, file, 'system'), serviceName, sampleRatio }
}

function buildUpstream(upstream: ConfigDocument['upstream'], texts: ResolvedTexts, file: ResolveFile): UpstreamConfig {
  const endpoint = parseEndpoint(upstream.endpoint)
  if (endpoint.type === 'problem') throw new TypeError('an endpoint was not checked')
  return {
    endpoint: { hostname: endpoint.hostname, port: endpoint.port },
    region:
      upstream.region === 'learned'
        ? { type: 'learned', first: upstream.firstRegion }
        : { type: 'fixed', region: upstream.region },
    addressing: upstream.addressing,
    ca: optionalFile(upstream.ca, file, 'system'),
    credentials: buildCredentials(upstream.credentials, ['upstream', 'credentials'], texts),
    trailingChecksums: upstream.trailingChecksums,
    proof: upstream.proof,
    pass: upstream.pass,
    preflight: upstream.preflight,
    connectTimeoutMs: milliseconds(upstream.connectTimeout),
    idleTimeoutMs: milliseconds(upstream.idleTimeout),
    maxSockets: upstream.maxSockets,
    keepAliveMs: milliseconds(upstream.keepAlive),
  }
}

function buildKeyring(document: ConfigDocument, i: number, texts: ResolvedTexts, file: ResolveFile): KeyringConfig {
  const keyring = document.keyrings[i]
  if (keyring === undefined) throw new TypeError('no such keyring')
  const { name, type, kms } = keyring
  const common = { name, file: file(keyring.file) }
  if (type === 'objects') return { ...common, type }
  const connection = kms === undefined ? 'none' : buildKms(kms, ['keyrings', i, 'kms'], document, texts, file)
  if (type !== 'kms-mac') return { ...common, type, kms: connection }
  if (connection === 'none') throw new TypeError('a keyring in KMS was not checked')
  return { ...common, type, kms: connection }
}

function buildKms(
  kms: KmsDocument,
  at: Path,
  { upstream }: ConfigDocument,
  texts: ResolvedTexts,
  file: ResolveFile,
): KmsConfig {
  const endpoint = parseEndpoint(kms.endpoint ?? kmsEndpoint(kms.region))
  if (endpoint.type === 'problem') throw new TypeError('an endpoint was not checked')
  return {
    region: kms.region,
    endpoint: { hostname: endpoint.hostname, port: endpoint.port },
    ca: optionalFile(kms.ca, file, 'system'),
    credentials:
      kms.credentials === undefined
        ? buildCredentials(upstream.credentials, ['upstream', 'credentials'], texts)
        : buildCredentials(kms.credentials, [...at, 'credentials'], texts),
    timeoutMs: milliseconds(kms.timeout),
    startTimeoutMs: milliseconds(kms.startTimeout),
    ttlMs: milliseconds(kms.ttl),
    staleMs: milliseconds(kms.stale),
    cachedObjects: kms.cachedObjects,
  }
}

function buildCredentials(credentials: CredentialDocument, at: Path, texts: ResolvedTexts): CredentialConfig {
  if (credentials === 'default') return { type: 'default' }
  if (credentials.profile !== undefined) return { type: 'profile', profile: credentials.profile }
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  return {
    type: 'static',
    accessKeyId: resolved(accessKeyId, [...at, 'accessKeyId'], texts),
    secretAccessKey: new SecretAccessKey(resolved(secretAccessKey, [...at, 'secretAccessKey'], texts)),
    sessionToken:
      sessionToken === undefined ? 'none' : new SecretAccessKey(resolved(sessionToken, [...at, 'sessionToken'], texts)),
  }
}

function buildIdentity(identity: IdentityDocument, at: Path, texts: ResolvedTexts): IdentityConfig {
  const { name, accessKeyId, secretAccessKey, anonymous, grants, upstreamCredentials } = identity
  const { signatures, presignedV2Lifetime } = identity
  const ofItsKind = anonymous === true ? 'anonymous' : 'default'
  return {
    name,
    class: identity.class ?? ofItsKind,
    authentication:
      anonymous === true
        ? { type: 'anonymous' }
        : {
            type: 'access-key',
            accessKeyId: resolved(accessKeyId, [...at, 'accessKeyId'], texts),
            secretAccessKey: new SecretAccessKey(resolved(secretAccessKey, [...at, 'secretAccessKey'], texts)),
            signatures,
            presignedV2LifetimeMs:
              presignedV2Lifetime === undefined ? Infinity : milliseconds(presignedV2Lifetime, LONGEST_LIFETIME_MS),
          },
    grants: grants.map(({ bucket, prefixes, permissions }) => ({ bucket, prefixes, permissions })),
    upstreamCredentials:
      upstreamCredentials === undefined
        ? 'shared'
        : buildCredentials(upstreamCredentials, [...at, 'upstreamCredentials'], texts),
  }
}

function buildRule(rule: RuleDocument): RuleConfig {
  const { bucket, prefix, keyring, alsoRead, bucketIdentity, plaintext, clientKeys, etag } = rule
  const { clientEncryption } = rule
  const keys: RuleConfig['keys'] =
    keyring === 'none'
      ? { type: 'plain', clientKeys }
      : {
          type: 'encrypted',
          keyring,
          alsoRead,
          bucketIdentity: bucketIdentity ?? 'bucket',
          plaintext,
          clientKeys,
          clientEncryption,
        }
  return { bucket, prefix, keys, etag }
}

function optionalFile<None extends string>(
  path: string | undefined,
  file: ResolveFile,
  none: None,
): { readonly type: None } | { readonly type: 'file'; readonly file: string } {
  return path === undefined ? { type: none } : { type: 'file', file: file(path) }
}

function milliseconds(text: string, longestMs?: number): number {
  const ms = parseDuration(text, longestMs)
  if (ms === 'invalid') throw new TypeError('a duration was not checked')
  return ms
}

function resolved(reference: unknown, at: Path, texts: ResolvedTexts): string {
  const text = texts.get(formatPath(at))
  if (reference === undefined || text === undefined) throw new TypeError(`${formatPath(at)} was not resolved`)
  return text
}
