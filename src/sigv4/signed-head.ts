import type { HeaderKind } from './header-kind.js'

/**
 * The head of a request as it was signed, and nothing that could change any more. Lines and headers are made of the same names and
 * values, so that they cannot differ. There are keys among the values: nothing that prints it shows them.
 */
export class SignedHead {
  readonly method: string
  /** The request-target to send, byte for byte. */
  readonly path: string
  /** Whether all values are printable ASCII, blanks and tabs. */
  readonly isPlain: boolean
  /** Of all headers but authorization, which comes last. */
  readonly names: readonly string[]
  readonly #kind: HeaderKind
  readonly #values: readonly string[]
  readonly #authorization: string
  #headers: Readonly<Record<string, string>> | 'not asked for' = 'not asked for'

  /** @param values in the order of the kind's names; the head's own from now on */
  constructor(
    method: string,
    path: string,
    isPlain: boolean,
    kind: HeaderKind,
    values: readonly string[],
    authorization: string,
  ) {
    this.method = method
    this.path = path
    this.isPlain = isPlain
    this.names = kind.names
    this.#kind = kind
    this.#values = values
    this.#authorization = authorization
    Object.freeze(this)
  }

  /** The lines of all headers, each with its CRLF. */
  lines(): string {
    const { lineStarts } = this.#kind
    const values = this.#values
    let lines = ''
    for (let at = 0; at < values.length; at += 1) lines += (lineStarts[at] as string) + (values[at] as string)
    return `${lines}\r\nauthorization: ${this.#authorization}\r\n`
  }

  /** The value of a header but authorization; undefined where there is none. */
  get(name: string): string | undefined {
    const at = this.names.indexOf(name)
    return at < 0 ? undefined : this.#values[at]
  }

  /** All headers; made when they are first asked for. */
  headers(): Readonly<Record<string, string>> {
    if (this.#headers === 'not asked for') {
      const values = this.#values
      // Not by setting one after the other: `__proto__` would be taken for the object's prototype.
      const entries = this.names.map((name, at) => [name, values[at] as string] as const)
      this.#headers = Object.freeze(Object.fromEntries([...entries, ['authorization', this.#authorization]]))
    }
    return this.#headers
  }
}
