/**
 * What a request says beside method, target and query that makes it another operation:
 * `copy-source`: x-amz-copy-source is there; `append`: x-amz-write-offset-bytes is; `form`: a POST of
 * multipart/form-data to a bucket; `object-lambda`: x-amz-request-route is there.
 */
export type Selector = 'none' | 'copy-source' | 'append' | 'form' | 'object-lambda'

/** One operation of the S3 API: how it is recognised and how it is treated. */
export interface Operation {
  /** As in the S3 API model. */
  readonly name: string
  readonly method: string
  readonly target: 'service' | 'bucket' | 'object'
  readonly selector: Selector
  /** Parameters that must be there: `acl` with any value or none, `uploadId=*` with some value, `list-type=2` with it. */
  readonly required: readonly string[]
  /** Further parameters that it takes. Any other is refused. `any`: its query says nothing to S3. */
  readonly optional: readonly string[] | 'any'
  /**
   * What the identity must be allowed to do to the target; copies need `read` on their source as well. `none`: asked by
   * browsers without credentials, and sent on without any.
   */
  readonly permission: 'read' | 'write' | 'delete' | 'list' | 'manage' | 'none'
  /** Whose customer keys S3 takes for it. */
  readonly customerKey: 'none' | 'target' | 'target-and-source'
  /** read: candidates may be tried; write: the active key; upload: the key that the upload was created with. */
  readonly keyUse: 'none' | 'read' | 'write' | 'upload'
  /** object: object bytes, streamed; xml: a small document that is read whole here; opaque: streamed as it is. */
  readonly body: 'none' | 'object' | 'xml' | 'opaque'
  /** Refused on purpose: the text says why, to the client. */
  readonly handling: 'forward' | { readonly refuse: string }
  /** Whether a good answer proves the encryption (x-amz-server-side-encryption-customer-algorithm and -key-MD5). */
  readonly proof: boolean
  /** Whether its answer names objects under the parameter `prefix`. */
  readonly listsObjects: boolean
}

type Details = Partial<Omit<Operation, 'name' | 'method' | 'target' | 'permission'>>

/** A row of the table; whatever is not said is the harmless case. */
export function row(
  name: string,
  method: string,
  target: Operation['target'],
  permission: Operation['permission'],
  details: Details = {},
): Operation {
  return {
    name,
    method,
    target,
    permission,
    selector: 'none',
    required: [],
    optional: [],
    customerKey: 'none',
    keyUse: 'none',
    body: 'none',
    handling: 'forward',
    proof: false,
    listsObjects: false,
    ...details,
  }
}
