import type { Attempt, KeyPlan, KeyedRequest, SentKey } from './messages.js'
import type { DataKey, Soon } from '../keyring/port.js'
import { type CustomerKeyHeaders, copySourceHeaders, targetHeaders } from '../s3/customer-key.js'
import { candidateKey } from '../keyring/candidates.js'

/** One way to send the request: which keys it carries. */
export interface PlannedAttempt extends Attempt {
  /** The customer-key headers of this attempt, lower-case. */
  readonly headers: CustomerKeyHeaders
}

/** Whether a key came from a keyring: only those have names to be logged and remembered by. */
export function fromKeyring(key: SentKey): key is DataKey {
  return key !== 'plain' && 'keyring' in key
}

/**
 * The attempts of a request in the order of the candidates, each made only when it is asked for (a keyring may have to
 * wait for its service). Only one side ever has candidates: reads on the target, copies on the source.
 */
export class Attempts {
  readonly #targets: Side
  readonly #sourceKey: KeyPlan
  #target: SentKey = 'plain'
  /** Of the target that was found last. */
  #sources: Side | 'none' = 'none'

  constructor({ targetKey, sourceKey }: KeyedRequest) {
    this.#targets = new Side(targetKey)
    this.#sourceKey = sourceKey
  }

  /**
   * The next one, at once where its keys are in memory; `none` after the last.
   *
   * @throws S3Error (or rejects), where a keyring does
   */
  next(): Soon<PlannedAttempt | 'none'> {
    if (this.#sources !== 'none') return this.#nextSource(this.#sources)
    const target = this.#targets.next()
    return target instanceof Promise ? target.then((known) => this.#toTarget(known)) : this.#toTarget(target)
  }

  #toTarget(target: SentKey | 'none'): Soon<PlannedAttempt | 'none'> {
    if (target === 'none') return 'none'
    this.#target = target
    this.#sources = new Side(this.#sourceKey)
    return this.#nextSource(this.#sources)
  }

  #nextSource(sources: Side): Soon<PlannedAttempt | 'none'> {
    const source = sources.next()
    return source instanceof Promise ? source.then((known) => this.#toSource(known)) : this.#toSource(source)
  }

  #toSource(source: SentKey | 'none'): Soon<PlannedAttempt | 'none'> {
    if (source !== 'none') return planned(this.#target, source)
    this.#sources = 'none'
    return this.next()
  }
}

const NO_KEYS: CustomerKeyHeaders = Object.freeze({})

function planned(target: SentKey, source: SentKey): PlannedAttempt {
  const forTarget = target === 'plain' ? NO_KEYS : targetHeaders(target.key)
  if (source === 'plain') return { target, source, headers: forTarget }
  return { target, source, headers: { ...forTarget, ...copySourceHeaders(source.key) } }
}

/** The keys of one side, one after the other. */
class Side {
  readonly #plan: KeyPlan
  #at = 0
  constructor(plan: KeyPlan) {
    this.#plan = plan
  }

  next(): Soon<SentKey | 'none'> {
    const plan = this.#plan
    const at = this.#at
    this.#at += 1
    switch (plan.type) {
      case 'none':
        return at === 0 ? 'plain' : 'none'
      case 'relayed':
        return at === 0 ? plan.key : 'none'
      case 'one':
        return at === 0 ? plan.dataKey : 'none'
      case 'candidates': {
        const candidate = plan.candidates[at]
        if (candidate === undefined) return 'none'
        if (candidate.type === 'plain') return 'plain'
        const key = candidateKey(plan.reference, plan.scope, candidate)
        if (!(key instanceof Promise)) return key === 'unknown' ? this.next() : key
        return key.then((known) => (known === 'unknown' ? this.next() : known))
      }
    }
  }
}
