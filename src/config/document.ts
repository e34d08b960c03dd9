/**
 * The document as it is written, after the schema has said yes and its defaults are filled in. What is optional here
 * has no default. config/ssec-proxy.schema.json is the source; a test holds the two together.
 */
export interface ConfigDocument {
  readonly listeners: readonly ListenerDocument[]
  readonly baseDomains: readonly string[]
  readonly clientRegions: readonly string[]
  readonly upstream: UpstreamDocument
  readonly identities: readonly IdentityDocument[]
  readonly keyrings: readonly KeyringDocument[]
  readonly rules: readonly RuleDocument[]
  readonly admin?: { readonly host: string; readonly port: number }
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
    readonly objectKeys: 'clear' | 'hashed' | 'omitted'
  }
  readonly audit?: {
    readonly file?: string
    readonly stdout?: true
    readonly objectKeys: 'clear' | 'hashed' | 'omitted'
    readonly onFailure: 'refuse' | 'continue'
  }
  readonly tracing?: {
    readonly endpoint: string
    readonly ca?: string
    readonly serviceName: string
    readonly sampleRatio: number
  }
  readonly workers: number
  readonly rememberedObjects: number
  readonly timeouts: {
    readonly headers: string
    readonly clientIdle: string
    readonly keepAlive: string
    readonly drain: string
  }
}

/** Exactly one member is there. */
export interface ListenerDocument {
  readonly https?: {
    readonly host: string
    readonly port: number
    readonly cert: string
    readonly key: string
    readonly clientCa?: string
  }
  readonly http?: { readonly host: string; readonly port: number; readonly anonymous?: string }
  readonly unix?: { readonly path: string; readonly anonymous?: string }
}

/** Exactly one member is there. */
export interface ReferenceDocument {
  readonly env?: string
  readonly file?: string
}

export type CredentialDocument =
  | 'default'
  | {
      readonly profile?: string
      readonly accessKeyId?: string | ReferenceDocument
      readonly secretAccessKey?: ReferenceDocument
      readonly sessionToken?: ReferenceDocument
    }

export interface UpstreamDocument {
  readonly endpoint: string
  readonly region: string
  readonly firstRegion: string
  readonly addressing: 'path' | 'virtual-hosted'
  readonly ca?: string
  readonly credentials: CredentialDocument
  readonly trailingChecksums: 'relay' | 'verify'
  readonly proof: 'answer' | 'read-back'
  readonly pass: 'http-proxy' | 'lean'
  readonly preflight: 'off' | 'warn' | 'require'
  readonly connectTimeout: string
  readonly idleTimeout: string
  readonly maxSockets: number
  readonly keepAlive: string
}

export interface IdentityDocument {
  readonly name: string
  readonly class?: string
  readonly accessKeyId?: string | ReferenceDocument
  readonly secretAccessKey?: ReferenceDocument
  readonly anonymous?: true
  readonly signatures: readonly ('v2' | 'v4')[]
  readonly presignedV2Lifetime?: string
  readonly grants: readonly GrantDocument[]
  readonly upstreamCredentials?: CredentialDocument
}

export interface GrantDocument {
  readonly bucket: string
  readonly prefixes: readonly string[]
  readonly permissions: readonly ('read' | 'write' | 'delete' | 'list' | 'manage')[]
}

export interface KeyringDocument {
  readonly name: string
  readonly type: 'derived' | 'fixed' | 'kms-mac' | 'objects'
  readonly file: string
  readonly kms?: KmsDocument
}

export interface KmsDocument {
  readonly region: string
  readonly endpoint?: string
  readonly ca?: string
  readonly credentials?: CredentialDocument
  readonly timeout: string
  readonly startTimeout: string
  readonly ttl: string
  readonly stale: string
  readonly cachedObjects: number
}

export interface RuleDocument {
  readonly bucket: string
  readonly prefix: string
  readonly keyring: string
  readonly alsoRead: readonly string[]
  readonly bucketIdentity?: string
  readonly plaintext: 'allow' | 'deny'
  readonly clientKeys: 'reject' | 'relay'
  readonly clientEncryption: 'drop' | 'reject'
  readonly etag: 'opaque' | 'md5' | 'passthrough'
}
