import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fieldsOf, type Fields } from '../s3/fields.js'
import { readClaim, type Claim } from './authorization.js'
import { actionOf, checkBucketPolicy } from './bucket-policy.js'
import type { Answer, Call } from './call.js'
import { decodeOnce, parseQuery, type Query } from './encoding.js'
import type { SeenRequest } from './faults.js'
import type { BucketState, State } from './model.js'
import { corsHeaders, preflight } from './operations/cors.js'
import { isFormUpload, postObject } from './operations/post-object.js'
import { openPayload, payloadHashOf } from './payload.js'
import { Refusal } from './refusal.js'
import { errorAnswer, intercepted, send } from './send.js'
import { findRoute, type Route } from './routes.js'
import { type Claim2, fieldsOfClaim2, readClaim2, verify2 } from './signature-2.js'
import { verify } from './signature.js'

/** How the request came in, besides what node:http tells. */
export interface Arrival {
  readonly secure: boolean
  readonly expectsContinue: boolean
}

/** Answers one request; never rejects. */
export async function handle(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  arrival: Arrival,
): Promise<void> {
  const seen: SeenRequest = {
    requestId: randomBytes(8).toString('hex').toUpperCase(),
    secure: arrival.secure,
    method: request.method ?? '',
    target: request.url ?? '',
    rawHeaders: request.rawHeaders,
    fields: fieldsOf(request.rawHeaders),
  }
  const headOnly = seen.method === 'HEAD'
  try {
    if (await intercepted(await state.faults.intercept(seen), request, response, arrival.expectsContinue)) return
    const answer = await run(state, seen, () => {
      if (arrival.expectsContinue) response.writeContinue()
      return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
    })
    await send(response, seen.requestId, answer, headOnly, state.faults.truncateBodies)
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    // what is left of the body is read and thrown away, so that the client gets to read the answer
    request.resume()
    const refusal = error instanceof Refusal ? error : new Refusal('InternalError', { message: String(error) })
    await send(response, seen.requestId, errorAnswer(refusal, seen), headOnly, Infinity)
  }
}

async function run(state: State, seen: SeenRequest, body: () => AsyncIterable<Buffer>): Promise<Answer> {
  const { method, fields } = seen
  const question = seen.target.indexOf('?')
  const rawPath = question < 0 ? seen.target : seen.target.slice(0, question)
  const query = parseQuery(question < 0 ? '' : seen.target.slice(question + 1))
  const target = parseTarget(rawPath, fields.get('host') ?? '', state)
  const bucket = state.buckets.get(target.bucketName)
  if (method === 'OPTIONS' && target.on !== 'service') return preflight(bucket, fields, target.on.toUpperCase())
  if (target.on === 'bucket' && isFormUpload({ method, fields, query })) {
    if (bucket === undefined) throw new Refusal('NoSuchBucket', { extra: { BucketName: target.bucketName } })
    const openBody = () => ({ bytes: body(), trailers: new Map<string, string>() })
    const { requestId, secure } = seen
    const accessKeyId = '' // until the form's policy says whose it is
    const call: Call = { state, requestId, accessKeyId, secure, method, query, fields, openBody }
    return postObject({ ...call, bucketName: bucket.name, bucket })
  }
  const route = findRoute(target.on, method, query, fields)

  const claim2 = readClaim2(fields, query)
  if (claim2 !== 'none') return runVersion2(claim2, { state, seen, query, rawPath, target, route, bucket, body })
  const claim = readClaim(fields, query, bucket === undefined ? {} : { 'x-amz-bucket-region': bucket.region })
  const payloadHash = payloadHashOf(claim, fields, query)
  checkRegion(state, claim, route, bucket)
  const verified = await verify(claim, { method, path: decodeOnce(rawPath), query, fields, payloadHash }, state)

  const call: Call = {
    state,
    requestId: seen.requestId,
    accessKeyId: claim.accessKeyId,
    secure: seen.secure,
    method,
    query,
    fields: heeded(claim.type === 'presigned' ? withHoisted(fields, query) : fields, state),
    openBody: () => openPayload(body(), fields, payloadHash, verified),
  }
  return dispatch(route, call, target, bucket)
}

interface Routed {
  readonly state: State
  readonly seen: SeenRequest
  readonly query: Query
  readonly rawPath: string
  readonly target: Target
  readonly route: Route
  readonly bucket: BucketState | undefined
  readonly body: () => AsyncIterable<Buffer>
}

/** Version 2 knows no region and signs no body; its request is the same otherwise. */
async function runVersion2(claim: Claim2, routed: Routed): Promise<Answer> {
  const { state, seen, query, rawPath, target, route, bucket, body } = routed
  const fields = fieldsOfClaim2(claim, seen.fields, query)
  const resource = target.inHost ? `/${target.bucketName}${rawPath}` : rawPath
  verify2(claim, { method: seen.method, resource, query, fields }, state)
  const call: Call = {
    state,
    requestId: seen.requestId,
    accessKeyId: claim.accessKeyId,
    secure: seen.secure,
    method: seen.method,
    query,
    fields: heeded(fields, state),
    openBody: () => openPayload(body(), fields, fields.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD', 'none'),
  }
  return dispatch(route, call, target, bucket)
}

/** Presigners move some headers into the query, where S3 reads them too. A customer key is never among them. */
function withHoisted(fields: Fields, query: Query): Fields {
  const hoisted = /^x-amz-(?:meta-|checksum-|sdk-checksum-algorithm$|acl$|storage-class$|tagging$)/
  const moved = [...query].map(([name, value]) => [name.toLowerCase(), value] as const)
  return new Map([...moved.filter(([name]) => hoisted.test(name)), ...fields])
}

function heeded(fields: Fields, { faults }: State): Fields {
  if (!faults.ignoreChecksums) return fields
  return new Map([...fields].filter(([name]) => !/^x-amz-(?:checksum-|sdk-checksum-|trailer$)/.test(name)))
}

async function dispatch(route: Route, call: Call, target: Target, bucket: BucketState | undefined): Promise<Answer> {
  if (route.on === 'service') return route.run(call)
  const { bucketName, objectKey } = target
  if (route.on === 'new-bucket') return route.run({ ...call, bucketName })
  if (bucket === undefined) throw new Refusal('NoSuchBucket', { extra: { BucketName: bucketName } })
  checkBucketPolicy(call, bucket, actionOf(route.name), route.on === 'bucket' ? 'none' : objectKey)
  const answer =
    route.on === 'bucket'
      ? await route.run({ ...call, bucketName, bucket })
      : await route.run({ ...call, bucketName, bucket, objectKey })
  const named = route.name === 'HeadBucket' || route.name.startsWith('ListObjects')
  const more = {
    ...(named ? { 'x-amz-bucket-region': bucket.region } : {}),
    ...corsHeaders(bucket, call.method, call.fields),
  }
  return { ...answer, headers: { ...more, ...answer.headers } }
}

interface Target {
  readonly on: 'service' | 'bucket' | 'object'
  /** Virtual-hosted style. */
  readonly inHost: boolean
  readonly bucketName: string
  readonly objectKey: string
}

/** Virtual-hosted style where the host is `<bucket>.<base domain>`, else path style. @throws Refusal InvalidURI … */
function parseTarget(rawPath: string, host: string, state: State): Target {
  if (!rawPath.startsWith('/')) throw new Refusal('InvalidURI')
  const hostname = host.toLowerCase().replace(/:\d+$/, '')
  const domain = state.baseDomains.find((base) => hostname.endsWith(`.${base}`))
  const path = domain === undefined ? rawPath.slice(1) : `${hostname.slice(0, -domain.length - 1)}${rawPath}`
  const inHost = domain !== undefined
  if (path === '') return { on: 'service', inHost, bucketName: '', objectKey: '' }
  const slash = path.indexOf('/')
  const bucketName = decodeOnce(slash < 0 ? path : path.slice(0, slash))
  const objectKey = slash < 0 ? '' : decodeOnce(path.slice(slash + 1))
  const size = Buffer.byteLength(objectKey)
  if (size > 1024) throw new Refusal('KeyTooLongError', { extra: { Size: String(size), MaxSizeAllowed: '1024' } })
  return { on: objectKey === '' ? 'bucket' : 'object', inHost, bucketName, objectKey }
}

/** A bucket answers only to signatures for its own region, and says which it is. */
function checkRegion(state: State, claim: Claim, route: Route, bucket: BucketState | undefined): void {
  const region = bucket?.region ?? state.region
  if (claim.region === region) return
  const headers = { 'x-amz-bucket-region': region }
  if (bucket !== undefined && route.name !== 'GetBucketLocation' && state.faults.otherRegion === 'redirect') {
    throw new Refusal('PermanentRedirect', {
      extra: { Endpoint: `s3.${region}.amazonaws.com`, Bucket: bucket.name },
      headers,
    })
  }
  const wrong = `the region '${claim.region}' is wrong; expecting '${region}'`
  if (claim.type === 'header') {
    throw new Refusal('AuthorizationHeaderMalformed', {
      message: `The authorization header is malformed; ${wrong}`,
      extra: { Region: region },
      headers,
    })
  }
  throw new Refusal('AuthorizationQueryParametersError', {
    message: `Error parsing the X-Amz-Credential parameter; ${wrong}`,
    extra: { Region: region },
    headers,
  })
}
