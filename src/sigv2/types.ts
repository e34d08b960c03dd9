/**
 * Where the client put its version-2 signature and what it says of itself; nothing here is verified.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 */
export type Version2Authorization =
  | {
      readonly type: 'version-2-header'
      readonly accessKeyId: string
      /** base64 of 20 bytes, if it is one */
      readonly signature: string
    }
  | {
      readonly type: 'version-2-presigned'
      readonly accessKeyId: string
      readonly signature: string
      /** `Expires` as the client wrote it, seconds since 1970: the line of the string to sign where a header has its date */
      readonly expires: string
    }
