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
  /** A URL that opens the object for ten minutes, signed with SigV4. */
  readonly presign?: (objectKey: string) => Promise<string>
  /** Uploads what the prefix lacks of a folder's files. */
  readonly sync?: (folder: string, prefix: string) => Promise<unknown>
  readonly close?: () => Promise<unknown>
}

export interface Client {
  readonly name: string
  /** What the program itself says. */
  version(): Promise<string>
  /** What this client cannot do with any server. */
  readonly limits: Limits
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
