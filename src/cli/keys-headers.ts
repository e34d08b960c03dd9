import { loadConfig } from '../config/load.js'
import { rememberedVersions } from '../keyring/cached.js'
import { candidateKey, readCandidates } from '../keyring/candidates.js'
import { createKeyrings } from '../keyring/create.js'
import type { DataKey, KeyReference, ObjectScope } from '../keyring/port.js'
import { compileRules, selectKeys, type CompiledRules } from '../keyring/select.js'
import { S3Error } from '../s3/error.js'
import { parseBucket, parseObjectKey, parseVersionId } from '../s3/names.js'
import { formatHeaders, HEADER_HINTS, type HeaderFormat, type LabelledKey } from './header-formats.js'
import { kmsOverSdk } from '../kms-over-sdk.js'
import type { CliIo } from './io.js'
import { readKeyringText } from './keyring-storage.js'

export interface KeysHeadersArguments {
  /** `s3://bucket/objectKey`, taken literally: `%2F` is three characters of the object key. */
  readonly object: string
  readonly config: string
  readonly versionId: string | undefined
  readonly keyVersion: string | undefined
  readonly format: HeaderFormat
}

/**
 * `keys headers`: the three SSE-C headers of one object, for each key version that may have encrypted it, by the rules
 * of a configuration. The only command that prints keys; it asks nobody whether the object exists.
 *
 * @returns the exit code
 */
export async function keysHeaders(args: KeysHeadersArguments, io: CliIo): Promise<number> {
  const result = await findKeys(args, io)
  if (result.type === 'failed') {
    for (const reason of result.reasons) io.stderr(`${reason}\n`)
    return 1
  }
  const { keys, notes } = result
  const several =
    keys.length > 1 ? ['Only one of these key versions fits; --key-version ID prints that one alone.'] : []
  for (const note of [...notes, DISCLOSURE, ...several, HEADER_HINTS[args.format]]) io.stderr(`${note}\n`)
  io.stdout(formatHeaders(args.format, keys))
  return 0
}

const DISCLOSURE = 'This prints data keys in clear, as it is meant to: whoever sees them can read what they encrypt.'

type Found =
  | { readonly type: 'found'; readonly keys: readonly LabelledKey[]; readonly notes: readonly string[] }
  | { readonly type: 'failed'; readonly reasons: readonly string[] }

const failed = (...reasons: readonly string[]): Found => ({ type: 'failed', reasons })

async function findKeys(args: KeysHeadersArguments, io: CliIo): Promise<Found> {
  const parts = /^s3:\/\/([^/]*)\/(.+)$/s.exec(args.object)
  if (parts?.[1] === undefined || parts[2] === undefined) return failed(`${args.object}: is not s3://BUCKET/OBJECTKEY`)
  const loaded = loadRules(args.config, io)
  if (loaded.type === 'failed') return loaded
  try {
    const bucket = parseBucket(parts[1])
    const objectKey = parseObjectKey(parts[2])
    const reference = selectKeys(loaded.rules, bucket, objectKey)
    if (reference === 'no-rule') return failed(`${args.object}: no rule covers it, so the proxy refuses it`)
    if (reference.type === 'plain')
      return failed(`${args.object}: its rule says \`keyring: none\`, so it needs no headers`)
    const version: ObjectScope['version'] =
      args.versionId === undefined ? { type: 'latest' } : { type: 'id', versionId: parseVersionId(args.versionId) }
    const scope = { bucket, bucketIdentity: reference.bucketIdentity, objectKey, version }
    const keys = await keysOf(reference, scope)
    const wanted = keys.filter(({ dataKey }) => [undefined, dataKey.keyVersion].includes(args.keyVersion))
    const plain =
      reference.plaintext === 'allow' ? ['Its rule also allows objects without a key: try no headers too.'] : []
    if (wanted.length > 0) return { type: 'found', keys: wanted, notes: [...loaded.warnings, ...plain] }
    const known = keys.map(({ dataKey }) => dataKey.keyVersion).join(', ')
    return failed(
      `${args.object}: ${keys.length === 0 ? 'no keyring of its rule has a key for it' : `its key versions are ${known}`}`,
    )
  } catch (error) {
    if (error instanceof S3Error) {
      const reason = typeof error.cause === 'string' ? ` (${error.cause})` : ''
      return failed(`${args.object}: ${error.message}${reason}`)
    }
    throw error
  }
}

type Loaded =
  | { readonly type: 'rules'; readonly rules: CompiledRules; readonly warnings: readonly string[] }
  | { readonly type: 'failed'; readonly reasons: readonly string[] }

function loadRules(file: string, io: CliIo): Loaded {
  const config = loadConfig(file, io.env)
  if (config.type === 'problems') {
    return { type: 'failed', reasons: config.problems.map(({ path, message }) => `${file}: ${path} ${message}`) }
  }
  const lines = (problems: readonly { path: string; message: string }[]) =>
    problems.map(({ path, message }) => `${path} ${message}`)
  const created = createKeyrings(config.config.keyrings, readKeyringText, io.now, kmsOverSdk(io))
  if (created.type === 'problems') return { type: 'failed', reasons: lines(created.problems) }
  const compiled = compileRules(
    config.config.rules,
    created.opened.map(({ keyring }) => keyring),
  )
  if (compiled.type === 'problems') return { type: 'failed', reasons: lines(compiled.problems) }
  return { type: 'rules', rules: compiled.rules, warnings: lines(created.warnings) }
}

/** In the order in which the proxy would try them. */
async function keysOf(
  reference: Extract<KeyReference, { type: 'encrypted' }>,
  scope: ObjectScope,
): Promise<readonly LabelledKey[]> {
  const writing = await writingKey(reference, scope)
  const keys: LabelledKey[] = []
  for (const candidate of readCandidates(reference, scope, rememberedVersions(0))) {
    const dataKey = candidate.type === 'key' ? await candidateKey(reference, scope, candidate) : 'unknown'
    if (dataKey === 'unknown') continue
    const writes = writing?.keyring === dataKey.keyring && writing.keyVersion === dataKey.keyVersion
    keys.push({ dataKey, writes })
  }
  return keys
}

async function writingKey(
  reference: Extract<KeyReference, { type: 'encrypted' }>,
  scope: ObjectScope,
): Promise<DataKey | undefined> {
  try {
    return await reference.keyring.forWrite(scope)
  } catch (error) {
    if (error instanceof S3Error && error.code === 'AccessDenied') return undefined
    throw error
  }
}
