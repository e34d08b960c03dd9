/**
 * The path as sent and, where it differs, as the AWS SDKs for Java sign it: of two slashes they send the second as `%2F`,
 * because the library under them would merge the two, and sign both bare. S3 takes that. Both decode to the same object
 * key, so nobody gains by it; a `%2F` anywhere else is signed as it is sent.
 */
export function pathSpellings(rawPath: string): readonly string[] {
  const bare = rawPath.replaceAll('/%2F', '//')
  return bare === rawPath ? [rawPath] : [rawPath, bare]
}
