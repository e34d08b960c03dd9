import type { Outcome, ResultStep } from './report.js'

/** A step that was tried, with what was asked to be written meanwhile where that is known. */
export type Recorder = (step: ResultStep, outcome: Outcome, writes: readonly string[]) => void

export interface Attempts<S extends ResultStep> {
  /** Steps that must fail, and why. */
  readonly mustFail: Partial<Record<S, string>>
  /** What was asked to be written since the last call. */
  readonly writes: () => readonly string[]
  readonly record: Recorder
}

export type Attempt<S extends ResultStep> = (step: S, action: (() => Promise<void>) | undefined) => Promise<void>

/** Tries one step after the other; one that fails does not stop the others, one that must fail is tried all the same. */
export function attempts<S extends ResultStep>({ mustFail, writes, record }: Attempts<S>): Attempt<S> {
  return async (step, action) => {
    const expected = mustFail[step]
    if (action === undefined) {
      record(step, { type: 'cannot', reason: expected ?? 'no command' }, [])
      return
    }
    writes()
    const error = await action().then(
      () => undefined,
      (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
    )
    record(step, outcomeOf(error, expected), writes())
  }
}

function outcomeOf(error: string | undefined, expected: string | undefined): Outcome {
  if (expected === undefined) return error === undefined ? { type: 'works' } : { type: 'fails', error }
  if (error !== undefined) return { type: 'cannot', reason: expected }
  return { type: 'fails', error: `works, though the list of limits says: ${expected}` }
}
