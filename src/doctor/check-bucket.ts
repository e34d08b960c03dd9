import type { UpstreamConfig } from '../config/types.js'
import { isKmsKeyId } from '../keyring/parse-versions.js'
import type { UpstreamAccess } from '../maintenance/access.js'
import { askForPolicy } from '../maintenance/bucket-policy.js'
import { refusedBy } from '../maintenance/error.js'
import { childrenOf, readTree, textOf, type XmlElement } from '../maintenance/xml-tree.js'
import { findingsOf, isForAll, parseBucketPolicy } from '../s3/bucket-policy.js'
import type { Bucket } from '../s3/names.js'
import { isRegion, regionFromAnswer } from '../upstream/regions.js'
import { about, type Finding } from './finding.js'

type Access = Pick<UpstreamAccess, 'send'>

const ask = (access: Access, bucket: Bucket, method: 'GET' | 'HEAD', parameter: string | 'none') =>
  access.send({
    method,
    target: { type: 'bucket', bucket },
    query: new Map(parameter === 'none' ? [] : [[parameter, '']]),
    headers: {},
    body: 'none',
  })

/** Whether the bucket is there, and where. `gone`: nothing else need be asked of it. */
export async function checkBucket(
  access: Access,
  bucket: Bucket,
  region: UpstreamConfig['region'],
): Promise<{ readonly findings: readonly Finding[]; readonly isThere: boolean }> {
  const finding = about('bucket', bucket)
  const answer = await ask(access, bucket, 'HEAD', 'none')
  const said = answer.fields.get('x-amz-bucket-region') ?? ''
  const actual = isRegion(said) ? said : regionFromAnswer(answer.status, answer.fields)
  const place = about('region', bucket)
  if (region.type === 'fixed' && actual !== 'unknown' && actual !== region.region) {
    const remedy = `set upstream.region: ${actual}, or region: learned where buckets are in several`
    return {
      findings: [place('failed', `is in ${actual}, and requests are signed for ${region.region}`, remedy)],
      isThere: false,
    }
  }
  const where =
    actual === 'unknown' ? [] : [place('ok', `is in ${actual}${region.type === 'learned' ? ', as was learned' : ''}`)]
  switch (answer.status) {
    case 200:
      return { findings: [finding('ok', 'is there'), ...where], isThere: true }
    case 403: {
      const detail = 'is there, or not: these credentials may not ask (s3:ListBucket)'
      return { findings: [finding('note', detail), ...where], isThere: true }
    }
    case 404:
      return { findings: [finding('failed', 'is not there', 'make it, or correct the name in rules')], isThere: false }
    default:
      return { findings: [finding('failed', refusedBy('HeadBucket', answer).message)], isThere: false }
  }
}

/** Whether S3 takes customer keys in the bucket at all. */
export async function checkEncryption(access: Access, bucket: Bucket): Promise<Finding> {
  const finding = about('encryption', bucket)
  const answer = await ask(access, bucket, 'GET', 'encryption')
  if (answer.status === 404 && answer.code === 'ServerSideEncryptionConfigurationNotFoundError')
    return finding('ok', 'has no default encryption, and blocks none')
  if (answer.status === 403) {
    const detail = 'these credentials may not look whether SSE-C is blocked (s3:GetEncryptionConfiguration)'
    return finding('note', `${detail}; the round trip tells`)
  }
  if (answer.status === 501 || answer.status === 405 || answer.code === 'NotImplemented')
    return finding('skipped', 'the store does not know this question; the round trip tells')
  if (answer.status !== 200) return finding('warning', refusedBy('GetBucketEncryption', answer).message)
  const rules = childrenOf(readTree(answer.body, 'ServerSideEncryptionConfiguration'), 'Rule')
  const blocked = rules.flatMap((rule) =>
    childrenOf(rule, 'BlockedEncryptionTypes').flatMap((types) =>
      childrenOf(types, 'EncryptionType').map(({ text }) => text),
    ),
  )
  if (!blocked.includes('SSE-C')) return finding('ok', 'does not block SSE-C')
  const since =
    'SSE-C is blocked. AWS does so by default since April 2026 on new buckets, and on older ones of accounts without SSE-C objects'
  return finding('failed', since, liftCommand(bucket, rules[0]))
}

/** Lifts the block, and leaves the default encryption as it is. */
function liftCommand(bucket: Bucket, rule: XmlElement | undefined): string {
  const [byDefault] = rule === undefined ? [] : childrenOf(rule, 'ApplyServerSideEncryptionByDefault')
  const algorithm = (byDefault === undefined ? '' : textOf(byDefault, 'SSEAlgorithm')).replace(/[^A-Za-z0-9:]/g, '')
  const named = byDefault === undefined ? '' : textOf(byDefault, 'KMSMasterKeyID')
  const bucketKey = rule === undefined ? '' : textOf(rule, 'BucketKeyEnabled')
  // This is for pasting into a shell, and the store could say anything.
  const kmsKeyId = isKmsKeyId(named) ? named : ''
  const configuration = {
    Rules: [
      {
        ApplyServerSideEncryptionByDefault: {
          SSEAlgorithm: algorithm === '' ? 'AES256' : algorithm,
          ...(kmsKeyId === '' ? {} : { KMSMasterKeyID: kmsKeyId }),
        },
        ...(bucketKey === 'true' ? { BucketKeyEnabled: true } : {}),
        BlockedEncryptionTypes: { EncryptionType: ['NONE'] },
      },
    ],
  }
  return `aws s3api put-bucket-encryption --bucket ${bucket} --server-side-encryption-configuration '${JSON.stringify(configuration)}'`
}

/** What the bucket's policy says of customer keys. */
export async function checkPolicy(access: Access, bucket: Bucket): Promise<readonly Finding[]> {
  const finding = about('policy', bucket)
  const hint = `ssec-proxy policy require s3://${bucket} prints one`
  const answer = await askForPolicy(access, bucket)
  if (answer.status === 404 && answer.code === 'NoSuchBucketPolicy')
    return [finding('note', 'there is none: whoever writes past the proxy can store in the clear', hint)]
  if (answer.status === 403) return [finding('skipped', 'these credentials may not look at it (s3:GetBucketPolicy)')]
  if (answer.status === 501 || answer.status === 405)
    return [finding('skipped', 'the store does not know this question')]
  if (answer.status !== 200) return [finding('warning', refusedBy('GetBucketPolicy', answer).message)]
  const policy = parseBucketPolicy(answer.body.toString('utf8'))
  if (policy === 'unreadable') return [finding('warning', 'is not the JSON of a policy', 'look at it')]
  const found = findingsOf(policy)
  if (found.length === 0) return [finding('note', 'says nothing of customer keys', hint)]
  return found.map(({ type, statement }) => {
    const shown = JSON.stringify(statement)
    switch (type) {
      case 'requires':
        return isForAll(statement, bucket)
          ? finding('ok', `denies uploads without a customer key: ${shown}`)
          : finding(
              'note',
              `denies some uploads without a customer key, and not those of everybody or of all: ${shown}`,
            )
      case 'restricts':
        return finding(
          'warning',
          `denies uploads with a customer key: ${shown}`,
          'take the statement out, or let it not be about the proxy',
        )
      case 'wants-other':
        return finding(
          'warning',
          `denies uploads that ask for no SSE-S3 or SSE-KMS, which S3 refuses beside a customer key: ${shown}`,
          'take the statement out, or let it not be about the proxy',
        )
    }
  })
}
