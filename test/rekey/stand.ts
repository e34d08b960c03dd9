import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { RuleConfig, UpstreamConfig } from '../../src/config/types.js'
import type { DataKey, Keyring, ObjectScope } from '../../src/keyring/port.js'
import type { MaintenanceAnswer, MaintenanceRequest, UpstreamAccess } from '../../src/maintenance/access.js'
import { openJournal, type Journal } from '../../src/rekey/journal.js'
import type { RekeyOptions, RekeyResult, RekeyWorld } from '../../src/rekey/options.js'
import { runRekey } from '../../src/rekey/run.js'
import { activeUnder } from '../../src/rekey/targets.js'
import { targetHeaders } from '../../src/s3/customer-key.js'
import { parseBucket, parseObjectKey } from '../../src/s3/names.js'
import { testAccess } from '../support/access.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { encryptedRule, keyringOf } from '../support/proxy-in-process.js'
import { pathOf, s3, type S3Answer } from '../support/s3-client.js'

export const bucket = parseBucket('bucket')
const bytes = new Map(['v1', 'v2', 'o1'].map((id) => [id, randomBytes(32)]))
/** v2 is active. */
export const main = keyringOf('main', ['v1', 'v2'], bytes)
/** Without the version that was retired. */
export const retired = keyringOf('main', ['v2'], bytes)
export const other = keyringOf('other', ['o1'], bytes)

export function scopeOf(objectKey: string): ObjectScope {
  return { bucket, bucketIdentity: bucket, objectKey: parseObjectKey(objectKey), version: { type: 'latest' } }
}

export async function keyOf(objectKey: string, keyVersion: string, keyring: Keyring = main): Promise<DataKey> {
  const dataKey = await keyring.forVersion(scopeOf(objectKey), keyVersion)
  if (dataKey === 'unknown') throw new Error(`no ${keyVersion}`)
  return dataKey
}

/** An origin with the bucket `bucket`, and what a test does to it and with it. */
export async function startStand(
  t: Test,
  rules: readonly RuleConfig[] = [encryptedRule('*', 'main', { alsoRead: ['other'] })],
) {
  const origin = await startTestOrigin({ minimumPartSize: 1 })
  t.teardown(() => origin.close())
  const upstream = {
    port: origin.port,
    ca: testCertificates().authority.cert,
    ...ORIGIN_CREDENTIALS,
    region: 'us-east-1',
  }
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-rekey-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const side = { port: origin.port, ...ORIGIN_CREDENTIALS }
  const call = (method: string, objectKey: string, more: Parameters<typeof s3>[3] = {}): Promise<S3Answer> =>
    s3(side, method, pathOf('bucket', objectKey), more)
  const store = async (
    objectKey: string,
    keyVersion: string | 'plain',
    body = objectKey,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const keyring = keyVersion === 'o1' ? other : main
    const key = keyVersion === 'plain' ? {} : targetHeaders((await keyOf(objectKey, keyVersion, keyring)).key)
    const answer = await call('PUT', objectKey, { headers: { ...key, ...headers }, body })
    if (answer.status !== 200) throw new Error(`PUT ${objectKey}: ${answer.status} ${answer.text}`)
  }
  const read = async (objectKey: string, keyVersion: string | 'plain', method = 'GET'): Promise<S3Answer> =>
    call(method, objectKey, {
      headers: {
        'x-amz-checksum-mode': 'ENABLED',
        ...(keyVersion === 'plain' ? {} : targetHeaders((await keyOf(objectKey, keyVersion)).key)),
      },
    })
  const access = (overrides: Partial<UpstreamConfig> = {}): UpstreamAccess =>
    testAccess(t, { upstream, rules, keyrings: [main, other], overrides })
  const journal = (name = 'journal', more: object = {}): Journal =>
    openJournal(join(folder, name), {
      command: 'rekey',
      bucket: 'bucket',
      prefix: '',
      upstream: 'localhost:1',
      targets: ['main v2'],
      ...more,
    })
  const run = async (
    options: Partial<RekeyOptions> = {},
    world: Partial<RekeyWorld> = {},
    opened: Journal = journal(randomBytes(4).toString('hex')),
    over: UpstreamAccess = access(),
  ): Promise<RekeyResult> => {
    const given = { ...OPTIONS, ...options }
    const targets = activeUnder(over, bucket, given.prefix)
    const result = await runRekey(over, { ...given, targets }, opened, { ...WORLD, ...world })
    opened.close()
    return result
  }
  return { origin, upstream, folder, call, store, read, access, journal, run }
}

export const OPTIONS: Omit<RekeyOptions, 'targets'> = {
  command: 'rekey',
  bucket,
  prefix: '',
  concurrency: 4,
  dryRun: false,
  unguarded: false,
  acl: 'keep',
  singleCopyMax: 1024,
  partSize: 400,
  maxFailures: 100,
}

export const WORLD: RekeyWorld = {
  randomBytes: (size) => randomBytes(size),
  progress: { total: () => undefined, done: () => undefined },
  warn: () => undefined,
  isStopping: () => false,
  now: () => new Date(),
}

/** What adds up to `listed`, and only what is not zero. */
export function sums({ counts }: RekeyResult): Readonly<Record<string, number>> {
  const { skipped, ...others } = counts
  return Object.fromEntries(Object.entries({ ...others, ...skipped, bytes: 0 }).filter(([, objects]) => objects > 0))
}

/** An access that sends something else than it is told; `send` is the true one. */
export function altering(
  access: UpstreamAccess,
  alter: (
    request: MaintenanceRequest,
    send: (request: MaintenanceRequest) => Promise<MaintenanceAnswer>,
  ) => MaintenanceRequest | Promise<MaintenanceRequest>,
  proof: UpstreamAccess['proof'] = 'answer',
): UpstreamAccess {
  const send = (request: MaintenanceRequest) => access.send(request)
  return { ...access, proof, send: async (request) => send(await alter(request, send)) }
}

export function without(request: MaintenanceRequest, isUnwanted: (name: string) => boolean): MaintenanceRequest {
  const headers = Object.entries(request.headers).filter(([name]) => !isUnwanted(name))
  return { ...request, headers: Object.fromEntries(headers) }
}

export const nameOf = ({ target }: MaintenanceRequest): string => (target.type === 'object' ? target.objectKey : '')
