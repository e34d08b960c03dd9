import { dirname, resolve } from 'node:path'
import { diskFiles, failureReason, type Files } from './files.js'
import { checkConfig } from './parse.js'
import { formatPath, type Problem } from './problem.js'
import type { Config } from './types.js'
import { parseYaml } from './yaml.js'

/** A problem in a file, with its line (from 1) unless the path says it already or it is about none. */
export interface FileProblem extends Problem {
  readonly line: number | 'none'
}

export type LoadResult =
  | { readonly type: 'config'; readonly config: Config }
  | { readonly type: 'problems'; readonly problems: readonly FileProblem[] }

/**
 * Reads a YAML configuration, the secrets that it refers to, and looks for the files that it names, relative to its
 * own directory. All problems are told at once; where it is not even YAML, their paths are `LINE:COLUMN`.
 */
export function loadConfig(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  files: Files = diskFiles,
): LoadResult {
  const path = resolve(file)
  let text
  try {
    text = files.readText(path)
  } catch (error) {
    return {
      type: 'problems',
      problems: [{ path: file, message: `cannot be read: ${failureReason(error)}`, line: 'none' }],
    }
  }
  const yaml = parseYaml(text)
  if (yaml.type === 'problems') {
    const problems = yaml.problems.map(({ line, column, message }) => ({
      path: `${line}:${column}`,
      message,
      line: 'none' as const,
    }))
    return { type: 'problems', problems }
  }
  const result = checkConfig(yaml.value, { ...files, env, baseDirectory: dirname(path) })
  if (result.type === 'config') return result
  const problems = result.findings.map(({ at, message }) => ({
    path: formatPath(at),
    message,
    line: at[0] === 'env' ? ('none' as const) : yaml.lineOf(at),
  }))
  return { type: 'problems', problems: problems.toSorted((a, b) => lineNumber(a) - lineNumber(b)) }
}

/** `upstream.endpoint: must start with https:// … (line 7)` */
export function formatProblem({ path, message, line }: FileProblem): string {
  return `${path}: ${message}${line === 'none' ? '' : ` (line ${line})`}`
}

/** In the order of the file; what is in no line comes first. */
const lineNumber = ({ line }: FileProblem): number => (line === 'none' ? 0 : line)
