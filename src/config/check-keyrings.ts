import { parseEndpoint } from './endpoint.js'
import type { Finding } from './problem.js'
import type { View } from './view.js'

/** Keyrings in KMS say where that is, the others do not, and nothing is sent there in the clear. */
export function checkKeyrings(view: View): readonly Finding[] {
  const kinds = view.texts(['keyrings', '*', 'type']).flatMap(({ at, value }): readonly Finding[] => {
    const kms = [...at.slice(0, -1), 'kms']
    const given = view.given(kms)
    if (value === 'kms-mac' && !given) return [{ at: kms, message: 'is missing: the keys of kms-mac are in KMS' }]
    if (value === 'objects' && given) return [{ at: kms, message: 'has no meaning for single objects' }]
    return []
  })
  const endpoints = view.texts(['keyrings', '*', 'kms', 'endpoint']).flatMap(({ at, value }): readonly Finding[] => {
    const parsed = parseEndpoint(value)
    if (parsed.type === 'problem') return [{ at, message: parsed.message }]
    return parsed.hostname.includes('{') ? [{ at, message: 'cannot have {region}: write the region itself' }] : []
  })
  return [...kinds, ...endpoints]
}
