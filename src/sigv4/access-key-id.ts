/**
 * Whether an Authorization header can name this access key id: 3 to 128 visible characters, and neither a comma nor a slash, which would
 * end it there.
 */
export const isAccessKeyId = (text: string): boolean => /^[!-~]{3,128}$/.test(text) && !/[,/]/.test(text)
