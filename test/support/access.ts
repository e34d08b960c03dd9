import type { Test } from 'tap'
import type { RuleConfig, UpstreamConfig } from '../../src/config/types.js'
import type { Keyring } from '../../src/keyring/port.js'
import { openUpstreamAccess, type UpstreamAccess } from '../../src/maintenance/access.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import type { TestUpstream } from './proxy-in-process.js'
import { TEST_PASS } from './pass.js'
import { registerSecret } from './record.js'

export interface TestAccessOptions {
  readonly upstream: TestUpstream
  readonly rules: readonly RuleConfig[]
  readonly keyrings: readonly Keyring[]
  readonly overrides?: Partial<UpstreamConfig>
  /** See MaintenanceWorld; default false. */
  readonly isHasty?: boolean
}

/** What commands have of an upstream, in this process; closed at the end of the test. */
export function testAccess(
  t: Test,
  { upstream, rules, keyrings, overrides, isHasty = false }: TestAccessOptions,
): UpstreamAccess {
  registerSecret(upstream.accessKeyId, upstream.secretAccessKey)
  const access = openUpstreamAccess({ rules, upstream: upstreamConfig(upstream, overrides) }, keyrings, {
    env: {},
    now: () => new Date(),
    readFile: () => upstream.ca,
    warn: () => undefined,
    isHasty,
  })
  t.teardown(() => access.close())
  return access
}

export function upstreamConfig(upstream: TestUpstream, overrides: Partial<UpstreamConfig> = {}): UpstreamConfig {
  return {
    endpoint: { hostname: upstream.host ?? 'localhost', port: upstream.port },
    region: { type: 'fixed', region: upstream.region },
    addressing: 'path',
    ca: { type: 'file', file: 'ca.pem' },
    credentials: {
      type: 'static',
      accessKeyId: upstream.accessKeyId,
      secretAccessKey: new SecretAccessKey(upstream.secretAccessKey),
      sessionToken: 'none',
    },
    trailingChecksums: 'relay',
    preflight: 'off',
    pass: TEST_PASS,
    proof: 'answer',
    connectTimeoutMs: 5_000,
    idleTimeoutMs: 20_000,
    maxSockets: 64,
    keepAliveMs: 2_000,
    ...overrides,
  }
}
