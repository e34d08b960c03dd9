import type { Attempt, KeyPlan, KeyedRequest } from './messages.js'
import type { DataKey } from '../keyring/port.js'
import { candidateKey } from '../keyring/candidates.js'
import { copySourceHeaders, targetHeaders } from '../s3/customer-key.js'

/** One way to send the request: which keys it carries. */
export interface PlannedAttempt extends Attempt {
  /** The customer-key headers of this attempt, lower-case. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The attempts of a request in the order of the candidates, each made only when it is asked for (a keyring may have to
 * wait for its service). Only one side ever has candidates: reads on the target, copies on the source.
 */
export async function* attempts(request: KeyedRequest): AsyncGenerator<PlannedAttempt> {
  for await (const target of sides(request.targetKey)) {
    for await (const source of sides(request.sourceKey)) {
      yield {
        target,
        source,
        headers: {
          ...(target === 'relayed'
            ? relayedHeaders(request, TARGET_NAMES)
            : target === 'plain'
              ? {}
              : targetHeaders(target.key)),
          ...(source === 'relayed'
            ? relayedHeaders(request, SOURCE_NAMES)
            : source === 'plain'
              ? {}
              : copySourceHeaders(source.key)),
        },
      }
    }
  }
}

async function* sides(plan: KeyPlan): AsyncGenerator<DataKey | 'plain' | 'relayed'> {
  switch (plan.type) {
    case 'none':
      yield 'plain'
      return
    case 'relayed':
      yield 'relayed'
      return
    case 'one':
      yield plan.dataKey
      return
    case 'candidates':
      for (const candidate of plan.candidates) {
        const key = candidate.type === 'plain' ? 'plain' : await candidateKey(plan.reference, plan.scope, candidate)
        if (key !== 'unknown') yield key
      }
  }
}

const SSE = 'x-amz-server-side-encryption-customer-'
const TARGET_NAMES = ['algorithm', 'key', 'key-md5'].map((part) => SSE + part)
const SOURCE_NAMES = ['algorithm', 'key', 'key-md5'].map(
  (part) => `x-amz-copy-source-server-side-encryption-customer-${part}`,
)

function relayedHeaders(request: KeyedRequest, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of names) {
    const value = request.fields.get(name)
    if (value !== undefined) headers[name] = value
  }
  return headers
}
