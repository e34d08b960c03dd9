import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'

export type GoProgram =
  { readonly type: 'binary'; readonly path: string } | { readonly type: 'none'; readonly reason: string }

/** A program of a Go module, `example.com/it@latest`: built from source once and kept in the user's cache folder. */
export async function goProgram(module: string): Promise<GoProgram> {
  const name = basename(module.replace(/@.*$/, ''))
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ssec-proxy-test')
  const path = join(cache, name)
  if (existsSync(path)) return { type: 'binary', path }
  const go = ['go', '/usr/local/go/bin/go', '/usr/lib/go/bin/go'].find(
    (candidate) => spawnSync(candidate, ['version']).status === 0,
  )
  if (go === undefined) {
    return { type: 'none', reason: `${name} is built from source, and there is no Go on this machine` }
  }
  await mkdir(cache, { recursive: true })
  const build = await mkdtemp(join(cache, 'build-'))
  try {
    const result = spawnSync(go, ['install', module], {
      env: { ...process.env, GOBIN: build, GOTOOLCHAIN: 'auto' },
      encoding: 'utf8',
    })
    if (result.status !== 0) {
      return { type: 'none', reason: `go install ${module} failed: ${result.stderr.trim().split('\n').at(-1) ?? ''}` }
    }
    await rename(join(build, name), path)
    return { type: 'binary', path }
  } finally {
    await rm(build, { recursive: true, force: true })
  }
}
