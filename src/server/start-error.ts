/** Why the program cannot start or take over: one line for the operator, which main prints before it exits. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StartError'
  }
}

const IN_WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use; stop the program that has it or configure another port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'no such file',
  EISDIR: 'is a directory',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'no such host name (the name server did not answer)',
  ENAMETOOLONG: 'the path is too long',
}

/** A system error in words, without stack or path; the first line of its message where there are none. */
export function faultOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return IN_WORDS[code] ?? (cause.message.split('\n', 1)[0] as string)
}
