import type {
  MacContents,
  Material,
  NewMacVersion,
  NewVersion,
  PlainMaterial,
  VersionedContents,
  VersionHead,
  VersionState,
  WrappedMaterial,
} from './keyring-file.js'

/** The key version that writes use at an instant: the pending one from its `activateAt` on, else the active one. */
export function activeAt<V extends VersionHead>(versions: readonly V[], now: Date): V {
  const due = versions.find((one) => one.state === 'pending' && Date.parse(one.activateAt) <= now.getTime())
  const found = due ?? versions.find(({ state }) => state === 'active')
  if (found === undefined) throw new TypeError('a keyring has no active key version')
  return found
}

/** The key version that is yet to become active, and when. */
export function pendingAt(
  versions: readonly VersionHead[],
  now: Date,
): { readonly id: string; readonly activateAt: string } | undefined {
  const pending = versions.flatMap((one) => (one.state === 'pending' ? [one] : []))
  return pending.find(({ activateAt }) => Date.parse(activateAt) > now.getTime())
}

/** When a key version is to be the active one. */
export type Activation = { readonly type: 'now' } | { readonly type: 'at'; readonly instant: Date }

/** The versions with their states as they are at an instant: a pending one whose time has come is the active one. */
export function settledAt<V extends VersionHead>(versions: readonly V[], now: Date): readonly V[] {
  const active = activeAt(versions, now)
  return active.state === 'active' ? versions : withActive(versions, active.id, { type: 'now' })
}

/** The versions with another active one, now or from an instant on; whatever was pending is not any more. */
export function withActive<V extends VersionHead>(
  versions: readonly V[],
  id: string,
  activation: Activation,
): readonly V[] {
  return versions.map((one) => {
    if (activation.type === 'now') return withState(one, { state: one.id === id ? 'active' : 'readable' })
    if (one.id === id) return withState(one, { state: 'pending', activateAt: activation.instant.toISOString() })
    return withState(one, { state: one.state === 'active' ? 'active' : 'readable' })
  })
}

/**
 * The keyring with one more key version, which is active now or pending. None of the others goes. Versions stand in the
 * order in which they were made, also where a clock went back in between.
 */
export function withNewVersion(
  contents: VersionedContents,
  version: NewVersion,
  activation: Activation,
): VersionedContents {
  return { ...contents, versions: extended<PlainMaterial | WrappedMaterial>(contents.versions, version, activation) }
}

/** The same for a keyring whose keys never leave KMS. */
export function withNewMac(contents: MacContents, version: NewMacVersion, activation: Activation): MacContents {
  return { ...contents, versions: extended(contents.versions, version, activation) }
}

function extended<M extends Material>(
  versions: readonly (VersionHead & M)[],
  version: Pick<VersionHead, 'id' | 'created'> & M,
  activation: Activation,
): readonly (VersionHead & M)[] {
  const times = [...versions.map(({ created }) => created), version.created]
  const created = times.reduce((latest, time) => (Date.parse(time) > Date.parse(latest) ? time : latest))
  return withActive([...versions, { ...version, created, state: 'readable' }], version.id, activation)
}

function withState<V extends VersionHead>(version: V, state: VersionState): V {
  const copy: V & { activateAt?: string } = { ...version }
  delete copy.activateAt
  return { ...copy, ...state }
}
