import type { Attempt, KeyPlan, KeyedRequest, SentKey } from './messages.js'
import type { DataKey } from '../keyring/port.js'
import { candidateKey } from '../keyring/candidates.js'
import { copySourceHeaders, targetHeaders } from '../s3/customer-key.js'

/** One way to send the request: which keys it carries. */
export interface PlannedAttempt extends Attempt {
  /** The customer-key headers of this attempt, lower-case. */
  readonly headers: Readonly<Record<string, string>>
}

/** Whether a key came from a keyring: only those have names to be logged and remembered by. */
export function fromKeyring(key: SentKey): key is DataKey {
  return key !== 'plain' && 'keyring' in key
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
          ...(target === 'plain' ? {} : targetHeaders(target.key)),
          ...(source === 'plain' ? {} : copySourceHeaders(source.key)),
        },
      }
    }
  }
}

async function* sides(plan: KeyPlan): AsyncGenerator<SentKey> {
  switch (plan.type) {
    case 'none':
      yield 'plain'
      return
    case 'relayed':
      yield plan.key
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
