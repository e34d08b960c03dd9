/** A configuration that is ready to be taken into use at once, or why it cannot be. */
export type Prepared =
  | { readonly type: 'ready'; readonly commit: () => void; readonly abort: () => void }
  | { readonly type: 'refused'; readonly problems: readonly string[] }
