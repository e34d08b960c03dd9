/**
 * Query parameters that a version-2 signature covers; every other one is not signed. S3's documentation names the older
 * ones; the rest is what clients sign for it (botocore, the AWS SDKs for Java 1 and JavaScript 2, minio-go, gsutil).
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#ConstructingTheCanonicalizedResourceElement
 */
export const SUB_RESOURCES: ReadonlySet<string> = new Set([
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'partNumber',
  'policy',
  'replication',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'restore',
  'retention',
  'select',
  'select-type',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
])

/**
 * `list-type` turns one form of a listing into the other, with the same permission and the same content. Nobody signs it.
 */
const HARMLESS = new Set(['list-type'])

/**
 * The first of the parameters that select an operation, or what it works on, that a version-2 signature leaves open to whoever
 * holds the request; `none` where it covers all that matters.
 *
 * @param required as in the table of operations: `acl`, `uploadId=*`, `list-type=2`
 */
export function unsignedSelector(required: readonly string[]): string | 'none' {
  const names = required.map((text) => text.split('=', 1)[0] as string)
  return names.find((name) => !SUB_RESOURCES.has(name) && !HARMLESS.has(name)) ?? 'none'
}
