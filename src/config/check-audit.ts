import type { Finding } from './problem.js'
import type { View } from './view.js'

/** The audit log goes to exactly one place. */
export function checkAudit(view: View): readonly Finding[] {
  if (view.values(['audit']).length === 0) return []
  const [file, stdout] = ['file', 'stdout'].map((name) => view.given(['audit', name]))
  if (file === true && stdout === true) {
    return [{ at: ['audit', 'stdout'], message: 'goes with no file: leave out one of the two' }]
  }
  if (stdout === true && view.given(['audit', 'onFailure'])) {
    return [{ at: ['audit', 'onFailure'], message: 'has no meaning with `stdout`: leave it out' }]
  }
  if (file === true || stdout === true) return []
  return [{ at: ['audit'], message: 'must say where its lines go: `file: PATH` or `stdout: true`' }]
}
