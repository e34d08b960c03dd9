import t from 'tap'
import type { DataKey } from '../../src/keyring/port.js'
import type { Forwarded } from '../../src/proxy/forward.js'
import type { Pipeline, RewrittenRequest } from '../../src/proxy/messages.js'
import type { RequestRecord } from '../../src/proxy/record.js'
import { rememberedVersions } from '../../src/keyring/cached.js'
import { checkAnswer } from '../../src/proxy/check-answer.js'
import { keyOf, scopeOf } from '../keyring/material.js'

const target = scopeOf('photos', 'target')
const source = scopeOf('photos', 'source')
const v1: DataKey = { keyring: 'main', keyVersion: 'v1', key: keyOf('v1') }
const entry = { keyring: 'main', keyVersion: 'v1' }
const choice = (scope: typeof target, candidates: number) => ({
  type: 'candidates',
  scope,
  candidates: Array.from({ length: candidates }, (_, i) => ({ type: 'key', keyring: 'main', keyVersion: `v${i + 1}` })),
})

/** What is remembered of target and source behind an answer that says nothing more. */
async function remembered(request: object): Promise<readonly unknown[]> {
  const memory = rememberedVersions(10)
  const response = { status: 200, fields: new Map(), body: {} }
  await checkAnswer(
    { sourceKey: { type: 'none' }, ...request } as unknown as RewrittenRequest,
    { attempt: { target: v1, source: v1, headers: {} }, response } as unknown as Forwarded,
    { memory, upstream: { proof: 'answer' } } as unknown as Pipeline,
    {} as unknown as RequestRecord,
  )
  return [memory.get(target), memory.get(source)]
}

t.test(
  'what a read or the source of a copy fitted is remembered where there was a choice; a write always',
  async (t) => {
    const read = { name: 'GetObject', keyUse: 'read', proof: false }
    const write = { name: 'CopyObject', keyUse: 'write', proof: false }
    const one = { type: 'one', dataKey: v1, scope: target }
    t.same(await remembered({ operation: read, targetKey: choice(target, 1) }), ['unknown', 'unknown'])
    t.same(await remembered({ operation: read, targetKey: choice(target, 2) }), [entry, 'unknown'])
    t.same(await remembered({ operation: write, targetKey: one }), [entry, 'unknown'])
    t.same(await remembered({ operation: write, targetKey: one, sourceKey: choice(source, 1) }), [entry, 'unknown'])
    t.same(await remembered({ operation: write, targetKey: one, sourceKey: choice(source, 2) }), [entry, entry])
  },
)
