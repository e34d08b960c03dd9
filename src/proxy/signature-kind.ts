import type { AuthenticatedRequest } from './messages.js'

/** How a caller proved who it is, for the log: the version of the signature, and where it stood. */
export type SignatureKind = 'none' | 'v4' | 'v4-presigned' | 'v4-form' | 'v2' | 'v2-presigned' | 'v2-form'

export function signatureKind({
  authorization,
  form,
}: Pick<AuthenticatedRequest, 'authorization' | 'form'>): SignatureKind {
  if (form !== 'none') return form.signed === 'none' ? 'none' : `${form.signed}-form`
  switch (authorization.type) {
    case 'none':
      return 'none'
    case 'header':
      return 'v4'
    case 'presigned':
      return 'v4-presigned'
    case 'version-2-header':
      return 'v2'
    case 'version-2-presigned':
      return 'v2-presigned'
  }
}
