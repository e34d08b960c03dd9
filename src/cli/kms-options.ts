import type { Command } from 'commander'
import { checkEnvironment } from '../config/check-surroundings.js'
import { parseEndpoint } from '../config/endpoint.js'
import { kmsEndpoint } from '../config/kms-endpoint.js'
import { formatProblem, loadConfig } from '../config/load.js'
import { formatPath } from '../config/problem.js'
import type { KmsConfig } from '../config/types.js'
import type { PatientKms } from '../keyring/rewrap.js'
import type { KmsFailure } from '../keyring/kms-port.js'
import type { KmsWorld } from '../keyring/kms-world.js'
import { isRegion } from '../upstream/regions.js'
import type { CliIo } from './io.js'
import { isSameFile } from './keys-list.js'

/** Where a command finds KMS: in the proxy's configuration, or by options of its own. */
export interface KmsOptions {
  readonly config?: string
  readonly kmsRegion?: string
  readonly kmsEndpoint?: string
  readonly kmsCa?: string
  readonly kmsProfile?: string
}

export function withKmsOptions(command: Command): Command {
  return byHand(
    command.option(
      '--config <file>',
      "the proxy's configuration: `kms` of the keyring with this file says where KMS is",
    ),
  )
}

/** For a file that is in no configuration yet. */
export function byHand(command: Command): Command {
  return command
    .option('--kms-region <region>', 'the region of KMS, where no configuration says it')
    .option('--kms-endpoint <url>', 'https://HOST[:PORT] of KMS (default: that of AWS)')
    .option('--kms-ca <file>', 'the only CAs to trust for it, PEM (default: those of the system)')
    .option('--kms-profile <profile>', "of the AWS configuration files (default: the AWS SDK's own chain)")
}

/** KMS of this process, and its end. */
export type CommandKms = KmsWorld & { readonly close: () => void }

const TIMEOUT_MS = 10_000
const PATIENCE_MS = 30_000

export type FoundKms = { readonly type: 'kms'; readonly config: KmsConfig } | { readonly type: 'wrong' | 'none' }

/** What the options say; `none` where they say nothing, `wrong` where the reasons are on stderr. */
export function kmsOf(file: string, options: KmsOptions, io: CliIo): FoundKms {
  const { config, kmsRegion, kmsEndpoint: endpoint, kmsCa, kmsProfile } = options
  if (config !== undefined) {
    if ([kmsRegion, endpoint, kmsCa, kmsProfile].some((one) => one !== undefined)) {
      return wrong(io, '--config says where KMS is; the --kms options are for doing without it')
    }
    return inConfiguration(file, config, io)
  }
  if (kmsRegion === undefined) {
    if ([endpoint, kmsCa, kmsProfile].every((one) => one === undefined)) return { type: 'none' }
    return wrong(io, '--kms-region is missing')
  }
  const [unsafe] = checkEnvironment(io.env)
  if (unsafe !== undefined) return wrong(io, `${formatPath(unsafe.at)} ${unsafe.message}`)
  if (!isRegion(kmsRegion)) return wrong(io, '--kms-region is not the name of a region, such as eu-central-1')
  const parsed = parseEndpoint(endpoint ?? kmsEndpoint(kmsRegion))
  if (parsed.type === 'problem') return wrong(io, `--kms-endpoint ${parsed.message}`)
  if (parsed.hostname.includes('{')) return wrong(io, '--kms-endpoint cannot have {region}: write the region itself')
  return {
    type: 'kms',
    config: {
      region: kmsRegion,
      endpoint: { hostname: parsed.hostname, port: parsed.port },
      ca: kmsCa === undefined ? { type: 'system' } : { type: 'file', file: kmsCa },
      credentials: kmsProfile === undefined ? { type: 'default' } : { type: 'profile', profile: kmsProfile },
      timeoutMs: TIMEOUT_MS,
      startTimeoutMs: PATIENCE_MS,
      ttlMs: 0,
      staleMs: 0,
      cachedObjects: 1,
    },
  }
}

function inConfiguration(file: string, config: string, io: CliIo): FoundKms {
  const loaded = loadConfig(config, io.env)
  if (loaded.type === 'problems') return wrong(io, ...loaded.problems.map(formatProblem))
  const keyring = loaded.config.keyrings.find((one) => isSameFile(one.file, file))
  if (keyring === undefined) return wrong(io, `${file} is the file of no keyring in ${config}`)
  if (keyring.type === 'objects' || keyring.kms === 'none') {
    return wrong(io, `keyring ${keyring.name} has no \`kms\` in ${config}; add it before its keys are wrapped`)
  }
  return { type: 'kms', config: keyring.kms }
}

/** KMS as these options have it, asked again for as long as they say. */
export function patientKms(config: KmsConfig, world: CommandKms): PatientKms {
  return { kms: world.connect(config), patience: { attempts: Infinity, forMs: config.startTimeoutMs }, world }
}

/** What a command says where KMS gave nothing. */
export function kmsReason({ type, reason }: KmsFailure): string {
  return `KMS ${WORDS[type]}: ${reason}`
}

const WORDS = {
  denied: 'denies (check the key, its state and region, and the permissions of these credentials)',
  throttled: 'throttles; try again later',
  away: 'is away (check the endpoint, its CA and the network)',
} as const

function wrong(io: CliIo, ...reasons: readonly string[]): FoundKms {
  for (const reason of reasons) io.stderr(`${reason}\n`)
  return { type: 'wrong' }
}
