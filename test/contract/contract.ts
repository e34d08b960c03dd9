import type { Test } from 'tap'
import type { S3Server } from '../support/server.js'
import { CASES } from './cases.js'
import { EXPECTATIONS, expected } from './expectations.js'
import { measure } from './measure.js'

/** Asks a server everything and compares each answer to what is expected of this kind of server. */
export async function contract(t: Test, server: S3Server): Promise<void> {
  const names = CASES.map(({ name }) => name)
  t.equal(new Set(names).size, names.length, 'no two cases have the same name')
  t.strictSame(Object.keys(EXPECTATIONS).sort(), [...names].sort(), 'there is one expectation for each case')
  const outcomes = await measure(server)
  for (const [name, outcome] of outcomes) {
    const answer = expected(name, server.name)
    if (typeof answer === 'string') {
      t.equal(outcome, answer, name)
    } else {
      t.comment(`${server.name} cannot: ${answer.cannot} (${name})`)
      t.equal(outcome, answer.answer, name)
    }
  }
}
