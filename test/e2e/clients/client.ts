/** Where a client connects, and as whom. */
export interface Access {
  readonly scheme: 'https' | 'http'
  /** Path style: the host itself. Virtual-hosted: the base domain, before which the bucket goes. */
  readonly hostname: string
  readonly port: number
  readonly style: 'path' | 'virtual-hosted'
  readonly caFile: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
}

export type ObjectKeyName = (typeof ODD_KEYS)[number]['name']

/** What is tried with each client; docs/clients.md has a column for each. */
export type Step =
  | 'empty'
  | 'small'
  | 'large'
  | `key: ${ObjectKeyName}`
  | 'list'
  | 'copy'
  | 'copy of a large object'
  | 'rename'
  | 'range'
  | 'presigned'
  | 'second sync'
  | 'delete'

/** Steps that a client or an upstream cannot do, and why. */
export type Limits = Partial<Record<Step, string>>

/** A client that was given an endpoint. Every method rejects where the program fails. */
export interface Session {
  readonly put: (file: string, objectKey: string) => Promise<unknown>
  readonly get: (objectKey: string, file: string) => Promise<unknown>
  readonly remove: (objectKey: string) => Promise<unknown>
  readonly list: () => Promise<readonly string[]>
  readonly copy?: (from: string, to: string) => Promise<unknown>
  readonly move?: (from: string, to: string) => Promise<unknown>
  /** Bytes `first` to `last`, both included. */
  readonly range?: (objectKey: string, first: number, last: number) => Promise<Buffer>
  /** A URL that opens the object for ten minutes. */
  readonly presign?: (objectKey: string) => Promise<string>
  /** Uploads what the prefix lacks of a folder's files. */
  readonly sync?: (folder: string, prefix: string) => Promise<unknown>
  readonly close?: () => Promise<unknown>
}

export interface Client {
  readonly name: string
  /** Why this machine does not have it, where it may lack it. */
  readonly missing?: () => string | undefined
  /** What the program itself says. */
  version(): Promise<string>
  /**
   * What this client cannot do with any server. Where the session has the command it is tried all the same, through the
   * proxy and without it: a limit that vanishes is a failure of the list.
   */
  readonly limits: Limits
  /** Steps that fail, and why, where an ETag is not the MD5 of what was uploaded: what the policy `md5` is for. */
  readonly insists?: Limits
  /** How its listing shows an object key, where not as it is. */
  readonly lists?: (objectKey: string) => string
  /** Steps that work through the proxy only, and why. */
  readonly withoutProxy?: Limits
  /** Needs an identity that signature version 2 proves as well. Without it: one that only version 4 proves. */
  readonly signatures?: 'v2'
  /** Styles it can be told to use without a change of the machine's own resolver. */
  readonly styles: readonly Access['style'][]
  /** Begins; `folder` is empty and the client's own. */
  open(access: Access, folder: string): Promise<Session>
}

/** Object keys that broke somebody. */
export const ODD_KEYS = [
  { name: 'a//b', objectKey: 'odd/a//b' },
  { name: '../x', objectKey: '../x' },
  { name: '%2F', objectKey: 'odd/%2F%' },
  { name: '+', objectKey: 'odd/a+b' },
  { name: 'space', objectKey: 'odd/a b ' },
  { name: 'unicode', objectKey: 'odd/žluť-日本-🔑-é' },
  { name: '@=*~', objectKey: "odd/@=*~!'()$,;:" },
  { name: '<&>?#', objectKey: 'odd/<b>&amp;"?#[]' },
  { name: 'slash at end', objectKey: 'odd/folder/' },
  { name: '1024 bytes', objectKey: `odd/${Array(5).fill('k'.repeat(203)).join('/')}k` },
] as const

/** The same reason for each of some steps. */
export const limited = (steps: readonly Step[], reason: string): Limits =>
  Object.fromEntries(steps.map((step) => [step, reason]))

/** Steps that store an object and read it again. */
export const STORING: readonly Step[] = [
  'empty',
  'small',
  'large',
  ...ODD_KEYS.map(({ name }) => `key: ${name}` as const),
  'copy',
  'copy of a large object',
]

/** The host and port of the endpoint; the bucket belongs before it in virtual-hosted style. */
export const endpointOf = ({ scheme, hostname, port }: Access): string => `${scheme}://${hostname}:${port}`

/** A path of a URL: RFC 3986 unreserved characters and `/` as they are, everything else escaped. */
export const encodeKey = (objectKey: string): string =>
  objectKey
    .split('/')
    .map((part) =>
      encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/')
