/** What a command may touch of the world outside: where its text goes, the environment, the clock and randomness. */
export interface CliIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
}
