/** One series of a counter, held by whoever counts: adding to it costs no look-up of labels. */
export interface Count {
  /** `by` is finite and not negative. */
  add(by: number): void
}

export class KeptCount implements Count {
  value = 0

  add(by: number): void {
    this.value += by
  }
}
