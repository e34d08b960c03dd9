import type { DataKey } from '../keyring/port.js'
import { targetHeaders } from '../s3/customer-key.js'

export const HEADER_FORMATS = ['curl', 'aws', 'json', 'headers'] as const
export type HeaderFormat = (typeof HEADER_FORMATS)[number]

/** A data key that may fit an object, and whether it is what a write would use now. */
export interface LabelledKey {
  readonly dataKey: DataKey
  readonly writes: boolean
}

/** What to do with each format, for people. */
export const HEADER_HINTS: Readonly<Record<HeaderFormat, string>> = {
  curl: 'Paste into a curl command, or pipe into `curl -K -`. curl before 8.10 signs these headers in a wrong order.',
  aws: 'For aws s3api (get-object, head-object …). aws s3 cp takes raw bytes instead: --sse-c AES256 --sse-c-key fileb://FILE.',
  json: 'One element for each key version.',
  headers: 'Three lines for each key version, in this order.',
}

/** The headers of every key as text for one kind of reader. The text holds key bytes. */
export function formatHeaders(format: HeaderFormat, keys: readonly LabelledKey[]): string {
  switch (format) {
    case 'curl':
      return keys.map((key) => `# ${label(key)}\n${curlLines(key)}\n`).join('')
    case 'aws':
      return keys.map((key) => `# ${label(key)}\n${awsOptions(key)}\n`).join('')
    case 'json':
      return `${JSON.stringify(keys.map(jsonEntry), null, 2)}\n`
    // Without comments: curl's `-H @FILE` would sign a comment as the name of a header.
    case 'headers':
      return keys.map((key) => `${headerLines(key).join('\n')}\n`).join('\n')
  }
}

const label = ({ dataKey, writes }: LabelledKey) =>
  `keyring ${dataKey.keyring}, key version ${dataKey.keyVersion}${writes ? ', which writes use' : ''}`

const headerLines = ({ dataKey }: LabelledKey): readonly string[] =>
  Object.entries(targetHeaders(dataKey.key)).map(([name, value]) => `${name}: ${value}`)

/** Good for a shell and for a curl configuration file, which takes the backslashes for nothing. */
const curlLines = (key: LabelledKey) =>
  headerLines(key)
    .map((line) => `-H "${line}"`)
    .join(' \\\n')

/**
 * The AWS CLI, version 1 and 2, encodes a key once more, unless it is also given the MD5: then it sends both as they
 * are.
 */
function awsOptions({ dataKey }: LabelledKey): string {
  return Object.entries(targetHeaders(dataKey.key))
    .map(([name, value]) => `${name.replace('x-amz-server-side-encryption-', '--sse-')} ${value}`)
    .join(' ')
}

const jsonEntry = ({ dataKey, writes }: LabelledKey) => ({
  keyring: dataKey.keyring,
  keyVersion: dataKey.keyVersion,
  writes,
  headers: targetHeaders(dataKey.key),
})
