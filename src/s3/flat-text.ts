/**
 * The same text with memory of its own. What is cut out of a longer one (an object key out of a request's head) or put together of
 * several may be kept by V8 as a reference to those: a key that is remembered would keep the head of its request.
 *
 * @param text Unicode; what has no UTF-8 becomes U+FFFD
 */
export function flatText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}
