import { selectKeys } from '../keyring/select.js'
import type { UpstreamAccess } from '../maintenance/access.js'
import { forEachBounded } from '../maintenance/bounded.js'
import { MaintenanceError } from '../maintenance/error.js'
import { listUploads, listVersions, type ListedObject, type Page } from '../maintenance/list.js'
import { lookAt, type Look } from '../maintenance/look.js'
import { textOf, readTree } from '../maintenance/xml-tree.js'
import type { Bucket } from '../s3/names.js'

/** What stays under older keys behind a run, whatever it did. */
export interface Remains {
  readonly versioning: 'none' | 'Enabled' | 'Suspended' | 'unknown'
  /** Uploads that clients have begun and not finished: they end with the key version that they began with. */
  readonly uploads: number | 'unknown'
  /** Old versions by what opens them (`keyring version`, `plain`, `locked` …), where that was asked for. */
  readonly oldVersions: Readonly<Record<string, number>> | 'not looked at'
}

/** @throws MaintenanceError where the old versions were asked for and cannot be looked at */
export async function findRemains(
  access: UpstreamAccess,
  bucket: Bucket,
  prefix: string,
  { versions, concurrency }: { readonly versions: boolean; readonly concurrency: number },
): Promise<Remains> {
  return {
    versioning: await versioningOf(access, bucket),
    uploads: await countUploads(access, bucket, prefix),
    oldVersions: versions ? await lookAtOldVersions(access, bucket, prefix, concurrency) : 'not looked at',
  }
}

async function versioningOf(access: UpstreamAccess, bucket: Bucket): Promise<Remains['versioning']> {
  const answer = await access.send({
    method: 'GET',
    target: { type: 'bucket', bucket },
    query: new Map([['versioning', '']]),
    headers: {},
    body: 'none',
  })
  if (answer.status !== 200) return 'unknown'
  const status = textOf(readTree(answer.body, 'VersioningConfiguration'), 'Status')
  return status === 'Enabled' || status === 'Suspended' ? status : 'none'
}

async function countUploads(access: UpstreamAccess, bucket: Bucket, prefix: string): Promise<number | 'unknown'> {
  try {
    let count = 0
    for await (const { entries } of listUploads(access, bucket, prefix)) count += entries.length
    return count
  } catch (error) {
    if (error instanceof MaintenanceError) return 'unknown'
    throw error
  }
}

async function lookAtOldVersions(
  access: UpstreamAccess,
  bucket: Bucket,
  prefix: string,
  concurrency: number,
): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {}
  await forEachBounded(oldOnes(listVersions(access, bucket, prefix)), concurrency, async ({ objectKey, version }) => {
    const reference = selectKeys(access.rules, bucket, objectKey)
    if (reference === 'no-rule') return
    const bucketIdentity = reference.type === 'encrypted' ? reference.bucketIdentity : bucket
    const name = nameOf(await lookAt(access, reference, { bucket, bucketIdentity, objectKey, version }))
    found[name] = (found[name] ?? 0) + 1
  })
  return found
}

async function* oldOnes(pages: AsyncIterable<Page<ListedObject>>): AsyncGenerator<ListedObject> {
  for await (const { entries } of pages) for (const entry of entries) if (!entry.isLatest) yield entry
}

const nameOf = (look: Look): string =>
  look.type === 'key' ? `${look.dataKey.keyring} ${look.dataKey.keyVersion}` : look.type
