import type { CommandProgress } from '../../src/cli/open-maintenance.js'

/** Commands that tell nobody how far they are. */
export const noProgress: CommandProgress = () => ({
  total: () => undefined,
  done: () => undefined,
  stop: () => undefined,
})
