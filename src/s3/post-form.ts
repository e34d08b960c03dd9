import { S3Error } from './error.js'
import type { FormHead } from './form-head.js'

/** Fields with a meaning of their own beside the object's metadata; none of them goes to the store as it came. */
const OWN_FIELDS = new Set([
  'awsaccesskeyid',
  'bucket',
  'key',
  'policy',
  'redirect',
  'signature',
  'success_action_redirect',
  'success_action_status',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-signature',
])

/** What S3 keeps of a form with the object. */
const OBJECT_FIELDS = new Set([
  'acl',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'tagging',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
])
const OBJECT_PREFIXES = ['x-amz-meta-', 'x-amz-checksum-', 'x-amz-object-lock-']

const FILENAME = '${filename}'
/** Characters that all fields may have in the end: a thousand times a long name would be many MiB. */
const MAX_EXPANDED = 32_768

export const ENCRYPTION_PREFIX = 'x-amz-server-side-encryption'

/**
 * The form's fields with `${filename}` replaced by the name of the file, of which the last part of a path counts.
 *
 * @throws S3Error InvalidArgument where the file's name has `${filename}` in it: the store would replace it again;
 *   MaxPostPreDataLengthExceeded
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
 */
export function expandFilename({ fields, filename }: FormHead): ReadonlyMap<string, string> {
  const name =
    filename === 'none' ? '' : filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1)
  const expanded = new Map<string, string>()
  let size = 0
  for (const [field, value] of fields) {
    const isExpanded = value.includes(FILENAME)
    size += value.length + (isExpanded ? (value.split(FILENAME).length - 1) * name.length : 0)
    if (size > MAX_EXPANDED) throw new S3Error('MaxPostPreDataLengthExceeded')
    if (!isExpanded) {
      expanded.set(field, value)
      continue
    }
    const text = value.replaceAll(FILENAME, () => name)
    if (text.includes(FILENAME)) {
      throw invalid('file', "The file's name has ${filename} in it. Rename the file.")
    }
    expanded.set(field, text)
  }
  return expanded
}

/**
 * The object key that a form names.
 *
 * @throws S3Error InvalidArgument: no key, or white space at its ends, which Ceph takes off fields of forms: the object
 *   would be another one
 */
export function keyOfForm(fields: ReadonlyMap<string, string>): string {
  const objectKey = fields.get('key') ?? ''
  if (objectKey === '') throw missingField('key')
  if (objectKey.trim() !== objectKey || objectKey.includes('\0')) {
    throw invalid(
      'key',
      'The key of a form must not begin or end with white space or hold a null byte. Upload it by PUT.',
    )
  }
  return objectKey
}

/**
 * Fields that go on to the store with the object. Fields that S3 does not know are not among them: it ignores them, and
 * nobody can tell what another store makes of one. Encryption is not among them either.
 *
 * @throws S3Error NotImplemented (an x-amz- field that is not known), InvalidArgument (a line break in a header's text)
 */
export function objectFields(fields: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const kept: (readonly [string, string])[] = []
  for (const [name, value] of fields) {
    if (OWN_FIELDS.has(name) || name.startsWith(ENCRYPTION_PREFIX)) continue
    if (OBJECT_FIELDS.has(name) || OBJECT_PREFIXES.some((prefix) => name.startsWith(prefix))) {
      if (!isPlainName(name) || (name !== 'tagging' && /[\0-\x08\x0a-\x1f\x7f]/.test(value))) {
        throw invalid(name, `The form field ${name.slice(0, 128)} holds a character that no header may hold.`)
      }
      kept.push([name, value])
    } else if (name.startsWith('x-amz-')) {
      throw new S3Error('NotImplemented', {
        message: `The form field ${name.slice(0, 128)} is not supported. Leave it out.`,
        extra: { ArgumentName: name.slice(0, 128) },
      })
    }
  }
  return kept
}

/** S3's words for a field that is not there, or came behind the file. */
export function missingField(name: string): S3Error {
  return invalid(
    name,
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
  )
}

function isPlainName(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)
}

function invalid(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, extra: { ArgumentName: name.slice(0, 128) } })
}
