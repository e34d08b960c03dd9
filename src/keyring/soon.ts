import type { Soon } from './port.js'

/**
 * Goes on with a value, at once where it is there: a promise costs a turn of the event loop's queue and a few objects, and nearly
 * all that the stages of a request ask for is in memory. What throws, throws at once then too.
 */
export function whenKnown<T, U>(value: Soon<T>, next: (known: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
