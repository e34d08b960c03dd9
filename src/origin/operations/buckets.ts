import { emptyAnswer, xmlAnswer, type Answer, type BucketCall, type NewBucketCall, type ServiceCall } from '../call.js'
import { OWNER, type BucketState, type State } from '../model.js'
import { checkAcl } from '../object-headers.js'
import { Refusal } from '../refusal.js'
import { readSmallBody } from '../request-document.js'
import { branch, document, leaf, parseDocument, textOf } from '../xml.js'
import { byBytes } from './listing.js'

/** All, or pages where the request says how many. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export function listBuckets({ state, query }: ServiceCall): Answer {
  const prefix = query.get('prefix') ?? ''
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString('utf8')
  const limit = Number(query.get('max-buckets') ?? 10_000)
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new Refusal('InvalidArgument', { message: 'Argument max-buckets must be an integer between 1 and 10000' })
  }
  const all = [...state.buckets.values()]
    .sort((a, b) => byBytes(a.name, b.name))
    .filter(({ name }) => name.startsWith(prefix) && byBytes(name, after) > 0)
  const buckets = all.slice(0, limit)
  const last = buckets.at(-1)
  const more =
    all.length > limit && last !== undefined
      ? leaf('ContinuationToken', Buffer.from(last.name, 'utf8').toString('base64url'))
      : ''
  return xmlAnswer(
    document(
      'ListAllMyBucketsResult',
      branch('Owner', leaf('ID', OWNER.id), leaf('DisplayName', OWNER.name)),
      branch(
        'Buckets',
        ...buckets.map((bucket) =>
          branch('Bucket', leaf('Name', bucket.name), leaf('CreationDate', bucket.created.toISOString())),
        ),
      ),
      more,
      query.has('prefix') ? leaf('Prefix', prefix) : '',
    ),
  )
}

/** @throws Refusal BucketAlreadyOwnedByYou (outside us-east-1, as S3 has it), InvalidBucketName … */
export async function createBucket(call: NewBucketCall): Promise<Answer> {
  const { bucketName, state } = call
  checkAcl(call)
  const body = await readSmallBody(call)
  const asked = body.length === 0 ? '' : textOf(parseDocument(body, 'CreateBucketConfiguration'), 'LocationConstraint')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucketName) || bucketName.includes('..')) {
    throw new Refusal('InvalidBucketName', { extra: { BucketName: bucketName } })
  }
  const region = asked === '' ? 'us-east-1' : asked === 'EU' ? 'eu-west-1' : asked
  if (region !== state.region) {
    throw new Refusal('IllegalLocationConstraintException', {
      message: `The ${asked === '' ? 'unspecified' : region} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    })
  }
  if (state.buckets.has(bucketName)) {
    if (region === 'us-east-1') return emptyAnswer(200, { location: `/${bucketName}` })
    throw new Refusal('BucketAlreadyOwnedByYou', { extra: { BucketName: bucketName } })
  }
  const bucket = newBucket(state, bucketName, region)
  if (call.fields.get('x-amz-bucket-object-lock-enabled') === 'true') {
    bucket.versioning = 'Enabled'
    bucket.objectLock = true
  }
  state.buckets.set(bucketName, bucket)
  return emptyAnswer(200, { location: `/${bucketName}` })
}

export function newBucket(state: State, name: string, region: string): BucketState {
  return {
    name,
    region,
    created: state.now(),
    versioning: 'never',
    blocked: state.blockedOnNewBuckets,
    policy: 'none',
    tags: [],
    cors: [],
    objectLock: false,
    objects: new Map(),
    uploads: new Map(),
  }
}

export function headBucket(): Answer {
  return emptyAnswer(200)
}

export function deleteBucket(call: BucketCall): Answer {
  if (call.bucket.objects.size > 0) {
    const message =
      call.bucket.versioning === 'never'
        ? 'The bucket you tried to delete is not empty'
        : 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.'
    throw new Refusal('BucketNotEmpty', { message, extra: { BucketName: call.bucket.name } })
  }
  call.state.buckets.delete(call.bucket.name)
  return emptyAnswer(204)
}
