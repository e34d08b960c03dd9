import type { CredentialConfig } from '../config/types.js'
import { isAccessKeyId } from '../sigv4/access-key-id.js'
import { SecretAccessKey, type AwsCredentials } from '../sigv4/types.js'
import type { CredentialSource } from './types.js'

export interface CredentialWorld {
  readonly now: () => Date
  /** Called when credentials could not be refreshed and the old ones are still in use. */
  readonly warn: (message: string, detail: Readonly<Record<string, unknown>>) => void
}

/** There are credentials, and they cannot be used. The message is for whoever runs the proxy, and quotes nothing of them. */
export class UnusableCredentials extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnusableCredentials'
  }
}

/** What the AWS SDK's providers give; called again, they give newer credentials. */
export type SdkProvider = (options: { readonly forceRefresh: boolean }) => Promise<{
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}>

/** From this much before they expire, credentials are refreshed while requests still use them. As the AWS SDK does. */
const REFRESH_EARLY_MS = 300_000
/** From this much before, requests wait for new ones: S3 must still accept them when the request arrives there. */
const UNUSABLE_MS = 15_000
/** A failed refresh is not repeated for this long while the old credentials still work. */
const RETRY_MS = 10_000

const SYSTEM: CredentialWorld = { now: () => new Date(), warn: () => undefined }

/**
 * The credentials that a configuration names. `default` is the AWS SDK's chain: environment, profile, web identity,
 * EKS Pod Identity and ECS, IMDS; it reads the process's environment.
 */
export function credentialSource(config: CredentialConfig, world: CredentialWorld = SYSTEM): CredentialSource {
  switch (config.type) {
    case 'static': {
      const { accessKeyId, secretAccessKey, sessionToken } = config
      const credentials = Object.freeze({ accessKeyId, secretAccessKey, sessionToken })
      return () => credentials
    }
    case 'profile':
      return refreshed(async () => (await providers()).fromIni({ profile: config.profile, ignoreCache: true })(), world)
    case 'default': {
      let chain: SdkProvider | 'not asked' = 'not asked'
      const ask: SdkProvider = async (options) => {
        if (chain === 'not asked') chain = (await providers()).fromNodeProviderChain({ ignoreCache: true })
        return chain(options)
      }
      return refreshed(ask, world)
    }
  }
}

/** Loaded where one is used: most processes have no need of the SDK, at their start or in memory. */
const providers = () => import('@aws-sdk/credential-providers')

/**
 * Asks `provider` once for any number of callers, and again before what it gave expires. When a refresh fails, the old
 * credentials are used for as long as they are valid. Credentials without an expiration are kept for good.
 *
 * Rejects with the provider's error, or with UnusableCredentials, where there are no valid credentials.
 */
export function refreshed(provider: SdkProvider, world: CredentialWorld): CredentialSource {
  let held: { readonly credentials: AwsCredentials; readonly expires: number } | undefined
  let running: Promise<AwsCredentials> | undefined
  let notBefore = 0

  const refresh = (): Promise<AwsCredentials> => {
    running ??= fetchCredentials().finally(() => (running = undefined))
    return running
  }
  const fetchCredentials = async (): Promise<AwsCredentials> => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await provider({ forceRefresh: true })
    if (!isAccessKeyId(accessKeyId)) {
      throw new UnusableCredentials(
        'the access key id for the upstream is not 3 to 128 visible characters without a comma or a slash; look at ' +
          'AWS_ACCESS_KEY_ID, or at aws_access_key_id of the profile',
      )
    }
    const credentials = Object.freeze({
      accessKeyId,
      secretAccessKey: new SecretAccessKey(secretAccessKey),
      sessionToken: sessionToken === undefined ? 'none' : new SecretAccessKey(sessionToken),
    })
    const expires = expiration?.getTime() ?? Infinity
    if (expires <= world.now().getTime()) throw new UnusableCredentials('the credentials for the upstream have expired')
    held = { credentials, expires }
    return credentials
  }

  const renewed = async (now: number): Promise<AwsCredentials> => {
    try {
      return await refresh()
    } catch (cause) {
      if (held !== undefined && held.expires > now) return held.credentials
      throw cause
    }
  }

  return () => {
    const now = world.now().getTime()
    if (held === undefined || held.expires - now <= UNUSABLE_MS) return renewed(now)
    if (held.expires - now <= REFRESH_EARLY_MS && now >= notBefore) {
      notBefore = now + RETRY_MS
      const until = new Date(held.expires).toISOString()
      refresh().catch((cause: unknown) => {
        world.warn('credentials for the upstream could not be refreshed; the old ones are still valid', {
          until,
          cause,
        })
      })
    }
    return held.credentials
  }
}
