import type { SecretAccessKey } from '../sigv4/types.js'

/** A certificate chain and its private key, PEM files that are read again when they change. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export type ListenerConfig =
  | {
      readonly type: 'https'
      readonly host: string
      readonly port: number
      readonly tls: TlsFiles
      /** Clients must show a certificate of this CA. */
      readonly clientCa: { readonly type: 'none' } | { readonly type: 'file'; readonly file: string }
    }
  | { readonly type: 'http'; readonly host: string; readonly port: number; readonly anonymous: string | 'none' }
  | { readonly type: 'unix'; readonly path: string; readonly anonymous: string | 'none' }

export type Permission = 'read' | 'write' | 'delete' | 'list' | 'manage'

export interface Grant {
  /** A bucket's name, or a pattern with `*`. */
  readonly bucket: string
  /** Object keys must start with one of these; `''` is all. */
  readonly prefixes: readonly string[]
  readonly permissions: readonly Permission[]
}

export type CredentialConfig =
  | {
      readonly type: 'static'
      readonly accessKeyId: string
      readonly secretAccessKey: SecretAccessKey
      readonly sessionToken: SecretAccessKey | 'none'
    }
  /** The AWS default chain: environment, profile, web identity, EKS Pod Identity, ECS, IMDS. */
  | { readonly type: 'default' }
  | { readonly type: 'profile'; readonly profile: string }

/** How a client that has an access key may prove it. */
export interface AccessKeyConfig {
  readonly type: 'access-key'
  readonly accessKeyId: string
  readonly secretAccessKey: SecretAccessKey
  /** The versions of AWS's signature that count; at least one. */
  readonly signatures: readonly SignatureVersion[]
  /** How far ahead, in milliseconds, the end of a presigned version-2 request or policy may lie; Infinity as with S3 itself. */
  readonly presignedV2LifetimeMs: number
}

export type SignatureVersion = 'v2' | 'v4'

export interface IdentityConfig {
  readonly name: string
  /** What metrics count it among; the configuration has few of them. */
  readonly class: string
  /** `anonymous` identities have no access key and can only be named by a loopback listener. */
  readonly authentication: AccessKeyConfig | { readonly type: 'anonymous' }
  readonly grants: readonly Grant[]
  /** Credentials for the upstream where this identity has its own. */
  readonly upstreamCredentials: CredentialConfig | 'shared'
}

/** Where a keyring's KMS is, and how long what it gives is kept. */
export interface KmsConfig {
  readonly region: string
  /** https only: keys come back over it. */
  readonly endpoint: { readonly hostname: string; readonly port: number }
  readonly ca: { readonly type: 'system' } | { readonly type: 'file'; readonly file: string }
  readonly credentials: CredentialConfig
  /** For one call. */
  readonly timeoutMs: number
  /** How long the start, or a changed keyring file, waits for KMS to come back. */
  readonly startTimeoutMs: number
  /** How long a key is used without asking KMS again. */
  readonly ttlMs: number
  /** How much longer while KMS is away. */
  readonly staleMs: number
  /** How many objects' data keys a kms-mac keyring remembers. */
  readonly cachedObjects: number
}

export type KeyringConfig =
  | {
      readonly name: string
      readonly type: 'derived' | 'fixed'
      readonly file: string
      /** Where the file has wrapped keys. */
      readonly kms: KmsConfig | 'none'
    }
  | { readonly name: string; readonly type: 'kms-mac'; readonly file: string; readonly kms: KmsConfig }
  | { readonly name: string; readonly type: 'objects'; readonly file: string }

export interface RuleConfig {
  /** A bucket's name, or `*`. A name beats `*`; a longer prefix beats a shorter one. */
  readonly bucket: string
  readonly prefix: string
  readonly keys:
    | { readonly type: 'plain'; readonly clientKeys: 'reject' | 'relay' }
    | {
        readonly type: 'encrypted'
        readonly keyring: string
        readonly alsoRead: readonly string[]
        readonly bucketIdentity: string | 'bucket'
        readonly plaintext: 'allow' | 'deny'
        readonly clientKeys: 'reject' | 'relay'
        /** What a client's x-amz-server-side-encryption headers mean, which S3 refuses beside a customer key. */
        readonly clientEncryption: 'drop' | 'reject'
      }
  /** How ETags of the bucket are shown; only rules without a prefix have a say. */
  readonly etag: 'opaque' | 'md5' | 'passthrough'
}

export interface UpstreamConfig {
  /** https only. `{region}` in the host is replaced by the bucket's region. */
  readonly endpoint: { readonly hostname: string; readonly port: number }
  readonly region:
    { readonly type: 'fixed'; readonly region: string } | { readonly type: 'learned'; readonly first: string }
  readonly addressing: 'path' | 'virtual-hosted'
  /** A CA to trust instead of the system's. */
  readonly ca: { readonly type: 'system' } | { readonly type: 'file'; readonly file: string }
  readonly credentials: CredentialConfig
  /** Whether the upstream takes unsigned trailing checksums, or they are verified here and left out. */
  readonly trailingChecksums: 'relay' | 'verify'
  /**
   * Where the proof comes from that a write was encrypted: from the answer itself, or (MinIO answers some writes without
   * it) from a HEAD with the key behind every copy and every completed upload.
   */
  readonly proof: 'answer' | 'read-back'
  /** Who speaks HTTP with the upstream: node's client behind http-proxy's own pass, or the strict one in src/upstream/lean. */
  readonly pass: 'http-proxy' | 'lean'
  /** Whether the buckets that rules name are examined at the start, and whether the start waits for it. */
  readonly preflight: 'off' | 'warn' | 'require'
  readonly connectTimeoutMs: number
  /** Longest silence of the upstream, in either direction. */
  readonly idleTimeoutMs: number
  readonly maxSockets: number
  /** How long an unused connection is kept; less than the upstream's own limit. */
  readonly keepAliveMs: number
}

export interface Config {
  readonly listeners: readonly ListenerConfig[]
  /** Base domains of virtual-hosted style, lower-case. */
  readonly baseDomains: readonly string[]
  /** Regions that a client's credential scope may name; empty: any. */
  readonly clientRegions: readonly string[]
  readonly upstream: UpstreamConfig
  readonly identities: readonly IdentityConfig[]
  readonly keyrings: readonly KeyringConfig[]
  readonly rules: readonly RuleConfig[]
  readonly admin: { readonly type: 'off' } | { readonly type: 'on'; readonly host: string; readonly port: number }
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
    readonly objectKeys: 'clear' | 'hashed' | 'omitted'
  }
  readonly audit:
    | { readonly type: 'off' }
    | {
        readonly type: 'on'
        readonly to: { readonly type: 'file'; readonly path: string } | { readonly type: 'stdout' }
        readonly objectKeys: 'clear' | 'hashed' | 'omitted'
        /** What happens to requests while the audit log cannot be written. */
        readonly onFailure: 'refuse' | 'continue'
      }
  readonly tracing:
    | { readonly type: 'off' }
    | {
        readonly type: 'on'
        /** The collector's URL for traces, OTLP over http. */
        readonly endpoint: string
        readonly ca: { readonly type: 'system' } | { readonly type: 'file'; readonly file: string }
        readonly serviceName: string
        /** Of requests that come without a decision of their caller's, from 0 to 1. */
        readonly sampleRatio: number
      }
  readonly workers: number
  /** How many objects the memory of fitting key versions holds. */
  readonly rememberedObjects: number
  readonly timeouts: {
    /** From the connection to the end of a request's head. */
    readonly headersMs: number
    /** Longest silence of a client, in either direction. */
    readonly clientIdleMs: number
    readonly keepAliveMs: number
    /** How long running requests may take to finish after SIGTERM. */
    readonly drainMs: number
  }
}
