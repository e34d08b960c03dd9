import { emptyAnswer, xmlAnswer, type Answer, type BucketCall, type NewBucketCall, type ServiceCall } from '../call.js'
import { OWNER, type BucketState, type State } from '../model.js'
import { checkAcl } from '../object-headers.js'
import { Refusal } from '../refusal.js'
import { readSmallBody } from '../request-document.js'
import { branch, document, leaf, parseDocument, textOf } from '../xml.js'
import { byBytes } from './listing.js'

export function listBuckets(call: ServiceCall): Answer {
  const buckets = [...call.state.buckets.values()].sort((a, b) => byBytes(a.name, b.name))
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
  state.buckets.set(bucketName, newBucket(state, bucketName, region))
  return emptyAnswer(200, { location: `/${bucketName}` })
}

export function newBucket(state: State, name: string, region: string): BucketState {
  return {
    name,
    region,
    created: state.now(),
    versioning: 'never',
    blocked: state.blockedOnNewBuckets,
    tags: [],
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
