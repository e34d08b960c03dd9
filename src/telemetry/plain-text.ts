/** What JSON escapes, what is no ASCII, and `=` and `%`, one of which is in what redact.ts takes for a secret's beginning. */
const NOT_PLAIN = /[^ !#$&-<>-[\]-~]/

/**
 * Whether JSON has the text as it stands, between quotes, in as many bytes as characters, and no secret can be in it. To begin to look
 * costs the most: several texts are best looked at as one.
 */
export const isPlain = (text: string): boolean => !NOT_PLAIN.test(text)
