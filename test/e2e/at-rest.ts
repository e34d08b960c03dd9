import { breakGlass, type Installation, type RunningProxy } from '../support/running-proxy.js'
import { recoveryHeaders, type UpstreamView } from './upstream-view.js'

export interface AtRest {
  readonly view: UpstreamView
  readonly bucket: string
  /** objectKey → SHA-256 of its content; of objects that a client makes for itself nothing is known */
  readonly expected: ReadonlyMap<string, string>
  readonly installation: Installation
  readonly proxy: RunningProxy
}

/**
 * What is wrong with a bucket, seen at the upstream with the upstream's credentials: an object that is lost, that can be
 * read without its key, or that its key, worked out from the keyring file alone, does not open.
 */
export async function atRestProblems({ view, bucket, expected, installation, proxy }: AtRest): Promise<string[]> {
  const problems: string[] = []
  const stored = (await view.list(bucket)).map(({ objectKey }) => objectKey)
  for (const objectKey of expected.keys()) if (!stored.includes(objectKey)) problems.push(`${objectKey} is not stored`)
  const opens = async (objectKey: string, headers: Readonly<Record<string, string>>, by: string): Promise<void> => {
    const found = await view.withKey(bucket, objectKey, headers).catch((error: unknown) => String(error))
    const wanted = expected.get(objectKey)
    if (wanted === undefined ? !/^[0-9a-f]{64}$/.test(found) : found !== wanted)
      problems.push(`${objectKey} does not open with ${by}: ${found}`)
  }
  for (const objectKey of stored) {
    const answer = await view.withoutKey(bucket, objectKey)
    if (answer !== 'refused') problems.push(`${objectKey} without its key: ${answer}`)
    await opens(objectKey, recoveryHeaders(installation.keyringFile, bucket, objectKey)[0]!, 'the derived key')
  }
  if (stored.length === 0) problems.push('nothing is stored')
  for (const objectKey of stored.filter((name) => !name.startsWith('plain/')).slice(0, 2)) {
    const [found] = await breakGlass(proxy.configFile, bucket, objectKey).catch((error: unknown) => {
      problems.push(String(error))
      return []
    })
    if (found !== undefined) await opens(objectKey, found.headers, '`keys headers`')
  }
  return problems
}
