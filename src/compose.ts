import type { Config, CredentialConfig, IdentityConfig } from './config/types.js'
import type { CredentialSource, Transport } from './upstream/types.js'
import type { Identity, Pipeline } from './proxy/messages.js'
import type { Keyring } from './keyring/port.js'
import type { RequestObserver } from './proxy/event.js'
import { compileRules } from './keyring/select.js'
import { credentialSource } from './upstream/credentials.js'
import { lru, rememberedVersions } from './keyring/cached.js'
import { regionDirectory } from './upstream/regions.js'

/** The world outside, as arguments. */
export interface World {
  readonly now: () => Date
  readonly monotonic: () => number
  readonly randomBytes: (size: number) => Buffer
  readonly transport: Transport
  readonly observe: RequestObserver
  readonly warn: Pipeline['warn']
}

export type Composed =
  | { readonly type: 'pipeline'; readonly pipeline: Pipeline }
  | { readonly type: 'problems'; readonly problems: readonly { readonly path: string; readonly message: string }[] }

/** Makes the pipeline of a configuration and its opened keyrings. */
export function compose(config: Config, keyrings: readonly Keyring[], world: World): Composed {
  const compiled = compileRules(config.rules, keyrings)
  if (compiled.type === 'problems') return compiled
  const sourceOf = (credentials: CredentialConfig) =>
    credentialSource(credentials, { now: world.now, warn: world.warn })
  const shared = sourceOf(config.upstream.credentials)
  const identities = config.identities.map((identity) => ready(identity, shared, sourceOf))
  const pipeline: Pipeline = {
    ...world,
    baseDomains: config.baseDomains,
    clientRegions: config.clientRegions,
    upstream: config.upstream,
    identities: new Map(
      identities.flatMap((identity) =>
        identity.authentication.type === 'access-key' ? [[identity.authentication.accessKeyId, identity] as const] : [],
      ),
    ),
    anonymous: new Map(
      identities.flatMap((identity) =>
        identity.authentication.type === 'anonymous' ? [[identity.name, identity] as const] : [],
      ),
    ),
    rules: compiled.rules,
    memory: rememberedVersions(config.rememberedObjects),
    etags: { objects: lru(config.rememberedObjects), uploads: lru(config.rememberedObjects) },
    regions: regionDirectory(config.upstream),
  }
  return { type: 'pipeline', pipeline }
}

/** The same pipeline with other keyrings of the same names: for requests that come from now on. */
export function withKeyrings(pipeline: Pipeline, config: Config, keyrings: readonly Keyring[]): Pipeline {
  const compiled = compileRules(config.rules, keyrings)
  if (compiled.type === 'problems') throw new TypeError('the keyrings have other names than before')
  return { ...pipeline, rules: compiled.rules }
}

function ready(
  { name, class: counted, authentication, grants, upstreamCredentials }: IdentityConfig,
  shared: CredentialSource,
  sourceOf: (credentials: CredentialConfig) => CredentialSource,
): Identity {
  const credentials = upstreamCredentials === 'shared' ? shared : sourceOf(upstreamCredentials)
  return { name, class: counted, authentication, grants, credentials }
}
